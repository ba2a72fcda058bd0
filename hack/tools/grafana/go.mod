module github.com/vaultpane/vaultpane/hack/tools/grafana

go 1.26

require github.com/grafana/grafana-foundation-sdk/go v0.0.22

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func content(t *testing.T, name string) string {
	t.Helper()
	out, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// stages are the Dockerfile's, by name.
func stages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, stage := range strings.Split("\n"+content(t, "Dockerfile"), "\nFROM ")[1:] {
		if name := regexp.MustCompile(` AS (\S+)`).FindStringSubmatch(stage); name != nil {
			out[name[1]] = stage
		}
	}
	return out
}

// The Dockerfile starts a program as the images do that are built here.
func TestTheDockerfileSaysTheSame(t *testing.T) {
	got := stages(t)
	for stage, want := range map[string][]string{
		"build":      {`-trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION"`, "CGO_ENABLED=0"},
		"controller": {`ENTRYPOINT ["/vaultpane-controller"]`, "USER " + nonroot, "WORKDIR /"},
		"agent":      {`ENTRYPOINT ["/vaultpane-agent"]`, "USER " + nonroot, "WORKDIR /"},
	} {
		for _, line := range want {
			if !strings.Contains(got[stage], line) {
				t.Errorf("stage %s lacks %s: %s", stage, line, got[stage])
			}
		}
		if !regexp.MustCompile(`^(--platform=\S+ )?\S+:\S+@sha256:[0-9a-f]{64} AS `).MatchString(got[stage]) {
			t.Errorf("the base of %s is not pinned", stage)
		}
	}
	if len(got) != 3 {
		t.Errorf("got %d stages, want 3", len(got))
	}
}

// One Go builds everything: it decides about the digests.
func TestOneGoIsNamedEverywhere(t *testing.T) {
	toolchain := regexp.MustCompile(`(?m)^toolchain go(\S+)$`).FindStringSubmatch(content(t, "go.mod"))
	if toolchain == nil {
		t.Fatal("go.mod names no toolchain")
	}
	for name, want := range map[string]string{"hack/images/go.mod": "\ntoolchain go" + toolchain[1] + "\n", "Dockerfile": " golang:" + toolchain[1] + "-alpine"} {
		if !strings.Contains(content(t, name), want) {
			t.Errorf("%s has not %q", name, want)
		}
	}
}

package charts_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// query is one of the rules or of the dashboard.
type query struct{ where, expression string }

// TestQueriesNameMetricsThatThereAre compares rules and dashboard with docs/metrics.md, which is generated from the code.
func TestQueriesNameMetricsThatThereAre(t *testing.T) {
	page, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(vaultpane_[a-z_]+)` \\| ([a-z]+) \\|").FindAllStringSubmatch(string(page), -1) {
		kinds[row[1]] = row[2]
	}
	metrics := regexp.MustCompile(`[a-z]+_[a-z_]*[a-z]`)
	functions := regexp.MustCompile(`histogram_quantile|humanize[A-Za-z]*|waiting_for|__rate_interval|"[^"]*"`)
	for _, query := range append(alerts(t), dashboard(t)...) {
		found := metrics.FindAllString(functions.ReplaceAllString(query.expression, ""), -1)
		if len(found) == 0 {
			t.Errorf("%s: %s names no metric", query.where, query.expression)
		}
		for _, metric := range found {
			if base := strings.TrimSuffix(metric, "_bucket"); base != metric && kinds[base] == "histogram" {
				continue
			}
			if kinds[metric] == "" {
				t.Errorf("%s: %s names %s, which docs/metrics.md does not", query.where, query.expression, metric)
			}
		}
	}
}

// TestTheDashboardsQueriesAreRules writes them as rules, for promtool to parse: hack/chart.sh.
func TestTheDashboardsQueriesAreRules(t *testing.T) {
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	type group struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	}
	panels := group{Name: "dashboard"}
	for _, query := range dashboard(t) {
		name := strings.Trim(regexp.MustCompile(`[^a-z]+`).ReplaceAllString(strings.ToLower(query.where), "_"), "_")
		panels.Rules = append(panels.Rules, rule{Record: "dashboard:" + name, Expr: strings.NewReplacer("$__rate_interval", "5m", "$certificate", ".*").Replace(query.expression)})
	}
	text, err := yaml.Marshal(map[string]any{"groups": []group{panels}})
	if err != nil {
		t.Fatal(err)
	}
	compareFile(t, filepath.Join("testdata", "monitoring", "dashboard.yaml"), string(text))
}

// TestTheAlertCountsAsTheController wants the same threshold for the condition and the alert.
func TestTheAlertCountsAsTheController(t *testing.T) {
	for soon, want := range map[string]string{"168h": "< 604800 > 0", "720h": "< 2592000 > 0", "1h30m": "< 5400 > 0"} {
		rendered, err := run(t, "template", "vaultpane", chart, "--set", "monitoring.serviceMonitor.enabled=true,monitoring.prometheusRule.enabled=true,controller.expiringSoon="+soon)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(rendered, want) != 1 {
			t.Errorf("with %s no alert has %q", soon, want)
		}
	}
}

// TestGrafanaKnowsTheDashboard validates it against Grafana's own schema, in which every field and value must exist.
func TestGrafanaKnowsTheDashboard(t *testing.T) {
	file, err := filepath.Abs(filepath.Join(chart, "files", "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	if says, err := exec.CommandContext(t.Context(), "go", "-C", "../hack/tools/grafana", "run", ".", file).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, says)
	}
}

// TestTheDashboardIsOfTheChosenCertificates: panels by certificate use the variable.
func TestTheDashboardIsOfTheChosenCertificates(t *testing.T) {
	byCertificate := regexp.MustCompile(`vaultpane_certificate_(nodes|ready|expiration_timestamp_seconds)(\{[^}]*\})?`)
	for _, query := range dashboard(t) {
		for _, found := range byCertificate.FindAllString(query.expression, -1) {
			if !strings.Contains(found, `certificate=~"$certificate"`) {
				t.Errorf("%s: %s does not filter by the variable", query.where, found)
			}
		}
	}
}

func alerts(t *testing.T) []query {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	text, err := os.ReadFile(filepath.Join(chart, "files", "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	var queries []query
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			queries = append(queries, query{rule.Alert, rule.Expr})
		}
	}
	return queries
}

func dashboard(t *testing.T) []query {
	t.Helper()
	var file struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, RefID string }
		}
	}
	text, err := os.ReadFile(filepath.Join(chart, "files", "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	var queries []query
	for _, panel := range file.Panels {
		for _, target := range panel.Targets {
			queries = append(queries, query{panel.Title + " " + target.RefID, target.Expr})
		}
	}
	return queries
}

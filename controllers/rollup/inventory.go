package rollup

import (
	"github.com/prometheus/client_golang/prometheus"
)

// labelVersion has versions of agents and controllers: as many as are rolled out at the same time.
const labelVersion = "version"

var (
	descSuspended = prometheus.NewDesc("vaultpane_certificate_suspended",
		"1 where the certificate is suspended (spec.suspend), else 0.", []string{labelCertificate}, nil)
	descAgentVersions = prometheus.NewDesc("vaultpane_agent_version_nodes",
		"Nodes by the version of the agent that reported last.", []string{labelVersion}, nil)
	descBuild = prometheus.NewDesc("vaultpane_controller_build_info",
		"Always 1; the version of the controller is a label.", []string{labelVersion}, nil)
)

// inventory are the gauges of what is there, whatever its state: alerts and dashboards join them with the others.
type inventory struct{ rollup *Rollup }

// Describe implements prometheus.Collector.
func (inventory) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descSuspended, descAgentVersions, descBuild} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector. Only a controller that leads knows the nodes.
func (i inventory) Collect(found chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, label string) {
		found <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, label)
	}
	gauge(descBuild, 1, i.rollup.Version)
	versions, suspended := i.rollup.index.inventory()
	for version, nodes := range versions {
		gauge(descAgentVersions, float64(nodes), version)
	}
	for name, is := range suspended {
		value := 0.0
		if is {
			value = 1
		}
		gauge(descSuspended, value, name)
	}
}

// inventory counts nodes by the version of their agent, and says which certificates are suspended; nothing until all is known.
func (x *index) inventory() (versions map[string]int, suspended map[string]bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.complete {
		return nil, nil
	}
	versions, suspended = map[string]int{}, make(map[string]bool, len(x.certificates))
	for _, n := range x.nodes {
		if n.reported {
			versions[n.agentVersion]++
		}
	}
	for name, c := range x.certificates {
		suspended[name] = c.wish.suspended
	}
	return versions, suspended
}

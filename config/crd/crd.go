// Package crd holds the generated CustomResourceDefinitions for programs that need them without a cluster.
package crd

import _ "embed" // for the files below

// ObservedCertificates is the CustomResourceDefinition of ObservedCertificate in YAML, as make generate writes it.
//
//go:embed vaultpane.dev_observedcertificates.yaml
var ObservedCertificates []byte

// NodeCertificateStates is the CustomResourceDefinition of NodeCertificateState in YAML, as make generate writes it.
//
//go:embed vaultpane.dev_nodecertificatestates.yaml
var NodeCertificateStates []byte

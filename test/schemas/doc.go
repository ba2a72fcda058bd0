// Package schemas keeps the JSON schemas of Kubernetes' kinds, cut from what Kubernetes publishes, in the form that kubeconform
// reads (https://github.com/yannh/kubeconform): so that a rendering can be checked against versions whose API server is not
// there, and without the internet. Its command writes charts/testdata/schemas.
//
// A schema knows fields, types and what is required. It does not know what an API server checks beyond them: expressions,
// names, combinations of fields.
package schemas

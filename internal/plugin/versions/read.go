package versions

import (
	"context"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/version"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/installation"
	"github.com/vaultpane/vaultpane/internal/plugin/schemadiff"
)

// Read reads the versions of a cluster. What the account may not read is in Unread; the error is about a cluster that does not answer.
func Read(ctx context.Context, client *cluster.Client, namespace string) (*Cluster, error) {
	var kubernetes version.Info
	if err := client.Raw(ctx, "version", &kubernetes); err != nil {
		return nil, err
	}
	c := &Cluster{Kubernetes: kubernetes.GitVersion}
	found, err := installation.Find(ctx, client, namespace)
	c.unread(err)
	c.Namespace, c.Controller = found.Namespace, found.ControllerVersion()
	reported, err := client.Column(ctx, cluster.NodeCertificateStates, "AGENT")
	if !cluster.IsMissing(err) {
		c.unread(cluster.Explain(err, "list", cluster.NodeCertificateStates))
	}
	c.Agents = Count(reported)
	for _, own := range schemadiff.Own() {
		var there apiextensionsv1.CustomResourceDefinition
		err := client.Get(ctx, cluster.CRDs, "", own.Name, &there)
		switch {
		case apierrors.IsNotFound(err):
			c.CRDs = append(c.CRDs, CRD{own.Name, Missing})
		case err != nil:
			c.unread(cluster.Explain(err, "get", cluster.CRDs))
		default:
			c.CRDs = append(c.CRDs, CRD{own.Name, stateOf(own, &there)})
		}
	}
	return c, ctx.Err()
}

func stateOf(own schemadiff.CRD, there *apiextensionsv1.CustomResourceDefinition) string {
	missing, extra, err := own.Compare(there)
	switch {
	case err != nil || len(missing) > 0:
		return Older
	case len(extra) > 0:
		return Newer
	}
	return Current
}

func (c *Cluster) unread(err error) {
	if err != nil {
		c.Unread = append(c.Unread, err.Error())
	}
}

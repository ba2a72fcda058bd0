package cluster

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// metadataOnly has the API server leave out everything but the metadata
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches).
const metadataOnly = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

// Names returns the names of all objects of a kind that is not in a namespace, sorted. Only their metadata is transferred.
func (c *Client) Names(ctx context.Context, kind schema.GroupVersionResource, options metav1.ListOptions) ([]string, error) {
	var names []string
	for {
		var page struct {
			Metadata metav1.ListMeta `json:"metadata"`
			Items    []struct {
				Metadata struct {
					Name string `json:"name"`
				} `json:"metadata"`
			} `json:"items"`
		}
		if err := c.readAs(ctx, metadataOnly, path(kind, "", ""), parameters(options), &page); err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			names = append(names, item.Metadata.Name)
		}
		if options.Continue = page.Metadata.Continue; options.Continue == "" {
			slices.Sort(names)
			return names, nil
		}
	}
}

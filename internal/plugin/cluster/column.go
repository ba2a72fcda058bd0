package cluster

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// asTable has the API server return the columns of kubectl get instead of the objects
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables).
const asTable = "application/json;as=Table;g=meta.k8s.io;v=v1"

// Column returns a column of kubectl get for all objects of a kind that is not in a namespace: a value for each object. It transfers far
// less than the objects.
func (c *Client) Column(ctx context.Context, kind schema.GroupVersionResource, column string) ([]string, error) {
	var values []string
	options := metav1.ListOptions{}
	for {
		var page struct {
			Metadata metav1.ListMeta `json:"metadata"`
			Columns  []struct {
				Name string `json:"name"`
			} `json:"columnDefinitions"`
			Rows []struct {
				Cells []any `json:"cells"`
			} `json:"rows"`
		}
		if err := c.readAs(ctx, asTable, path(kind, "", ""), parameters(options), &page); err != nil {
			return nil, err
		}
		at := slices.IndexFunc(page.Columns, func(one struct {
			Name string `json:"name"`
		}) bool {
			return one.Name == column
		})
		if at < 0 {
			return nil, fmt.Errorf("%s have no column %s", kind.Resource, column)
		}
		for _, row := range page.Rows {
			value, _ := row.Cells[at].(string) // null if the object has no such field
			values = append(values, value)
		}
		if options.Continue = page.Metadata.Continue; options.Continue == "" {
			return values, nil
		}
	}
}

package cluster

import (
	"context"
	"encoding/json"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// TryCreate asks the API server what it would store for a new object, and stores nothing. The answer is read into a pointer to the
// object's type. The error is the one that creating the object would have.
func (c *Client) TryCreate(ctx context.Context, kind schema.GroupVersionResource, namespace string, object, into any) error {
	return try(ctx, c.rest.Post().AbsPath(path(kind, namespace, "")...), object, into)
}

// TryUpdate is TryCreate for an object that exists.
func (c *Client) TryUpdate(ctx context.Context, kind schema.GroupVersionResource, namespace, name string, object, into any) error {
	return try(ctx, c.rest.Put().AbsPath(path(kind, namespace, name)...), object, into)
}

func try(ctx context.Context, request *rest.Request, object, into any) error {
	body, err := json.Marshal(object)
	if err != nil {
		return err
	}
	answer, err := content(request.SetHeader("Content-Type", runtime.ContentTypeJSON).Param("dryRun", "All").Body(body).Do(ctx))
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

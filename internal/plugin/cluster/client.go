package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Kinds of objects, as the API server names them in paths.
var (
	ObservedCertificates  = v1alpha1.GroupVersion.WithResource("observedcertificates")
	NodeCertificateStates = v1alpha1.GroupVersion.WithResource("nodecertificatestates")
	Nodes                 = schema.GroupVersionResource{Version: "v1", Resource: "nodes"}
)

// Client reads and patches objects. Its errors are those of the API server, for k8s.io/apimachinery/pkg/api/errors.
type Client struct {
	rest rest.Interface
	http *http.Client
}

// Client connects with the flags. It sends no request.
func (f *Flags) Client() (*Client, error) {
	config, err := f.Config()
	if err != nil {
		return nil, err
	}
	return NewClient(config)
}

// NewClient connects with a configuration. It sends no request.
func NewClient(config *rest.Config) (*Client, error) {
	config = rest.CopyConfig(config)
	config.GroupVersion = &schema.GroupVersion{}
	config.NegotiatedSerializer = serializer.NewCodecFactory(errorsOnly()).WithoutConversion()
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeJSON, runtime.ContentTypeJSON
	transport, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	client, err := rest.UnversionedRESTClientForConfigAndClient(config, transport)
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	return &Client{rest: client, http: transport}, nil
}

// errorsOnly is a scheme with which the REST client understands the API server's errors, and nothing else.
func errorsOnly() *runtime.Scheme {
	scheme := runtime.NewScheme()
	scheme.AddUnversionedTypes(schema.GroupVersion{Version: "v1"}, &metav1.Status{})
	return scheme
}

// Get reads an object into a pointer to its type. namespace is empty for objects of the cluster.
func (c *Client) Get(ctx context.Context, kind schema.GroupVersionResource, namespace, name string, into any) error {
	return c.read(ctx, path(kind, namespace, name), nil, into)
}

// Raw reads what the API server answers at a path, such as /version, as JSON.
func (c *Client) Raw(ctx context.Context, at string, into any) error {
	return c.read(ctx, []string{at}, nil, into)
}

// Patch applies a JSON merge patch to an object.
func (c *Client) Patch(ctx context.Context, kind schema.GroupVersionResource, namespace, name string, patch any) error {
	body, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	return c.rest.Patch(types.MergePatchType).AbsPath(path(kind, namespace, name)...).Body(body).Do(ctx).Error()
}

// pageSize bounds the memory of a list: a NodeCertificateState with 100 certificates is about 30 kB.
const pageSize = 250

// List reads objects in pages, each as a value of T, and calls each for every object in the order of the API server. A namespace
// that is empty means all. Empty selectors select everything.
func List[T any](ctx context.Context, c *Client, kind schema.GroupVersionResource, namespace string, options metav1.ListOptions, each func(*T) error) error {
	_, err := list(ctx, c, kind, namespace, options, each)
	return err
}

func parameters(options metav1.ListOptions) map[string]string {
	all := map[string]string{"labelSelector": options.LabelSelector, "fieldSelector": options.FieldSelector, "continue": options.Continue, "resourceVersion": options.ResourceVersion}
	all["limit"] = strconv.Itoa(pageSize)
	if options.Limit > 0 {
		all["limit"] = strconv.FormatInt(options.Limit, 10)
	}
	return all
}

func (c *Client) read(ctx context.Context, at []string, parameters map[string]string, into any) error {
	return c.readAs(ctx, runtime.ContentTypeJSON, at, parameters, into)
}

// readAs is read in a form of its own, such as the metadata alone.
func (c *Client) readAs(ctx context.Context, form string, at []string, parameters map[string]string, into any) error {
	content, err := content(c.get(at, parameters).SetHeader("Accept", form).Do(ctx))
	if err != nil {
		return err
	}
	return decode(content, into)
}

// content returns the body of a response. Of a refusal, Raw alone returns neither the name of the object nor the API server's words.
func content(result rest.Result) ([]byte, error) {
	if err := result.Error(); err != nil {
		return nil, err
	}
	return result.Raw()
}

func (c *Client) get(at []string, parameters map[string]string) *rest.Request {
	request := c.rest.Get().AbsPath(at...)
	for name, value := range parameters {
		if value != "" {
			request = request.Param(name, value)
		}
	}
	return request
}

func path(kind schema.GroupVersionResource, namespace, name string) []string {
	at := []string{"apis", kind.Group, kind.Version}
	if kind.Group == "" {
		at = []string{"api", kind.Version}
	}
	if namespace != "" {
		at = append(at, "namespaces", namespace)
	}
	at = append(at, kind.Resource)
	if name != "" {
		at = append(at, name)
	}
	return at
}

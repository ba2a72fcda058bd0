package cluster

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vaultpane/vaultpane/internal/plugin/jsonscan"
)

// Reader is an object that reads itself from its JSON, to skip what is not wanted without decoding it. It must not keep the text after
// the function that takes the object has returned.
type Reader interface {
	ReadJSON(text []byte) error
}

// decode reads an object from its JSON.
func decode(text []byte, object any) error {
	if reader, ok := object.(Reader); ok {
		return reader.ReadJSON(text)
	}
	return json.Unmarshal(text, object)
}

// list is List, and returns the resource version that the list is of.
func list[T any](ctx context.Context, c *Client, kind schema.GroupVersionResource, namespace string, options metav1.ListOptions, each func(*T) error) (version string, err error) {
	for {
		text, err := content(c.get(path(kind, namespace, ""), parameters(options)).Do(ctx))
		if err != nil {
			return "", err
		}
		page, err := readPage(text, each)
		if err != nil {
			return "", err
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return page.ResourceVersion, nil
		}
	}
}

// readPage calls each for every object of a page, and returns the page's metadata.
func readPage[T any](text []byte, each func(*T) error) (page metav1.ListMeta, err error) {
	err = jsonscan.Members(text, func(key, value []byte) error {
		switch string(key) {
		case "metadata":
			return json.Unmarshal(value, &page)
		case "items":
			return jsonscan.Elements(value, func(item []byte) error {
				object := new(T)
				if err := decode(item, object); err != nil {
					return fmt.Errorf("reading an object of a list: %w", err)
				}
				return each(object)
			})
		}
		return nil
	})
	return page, err
}

package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// Follower takes what Follow reads. Its methods are called by one goroutine.
type Follower[T any] interface {
	// Begin is called before every list: what the list does not have is gone.
	Begin()
	// Set is called for every object of a list, and for every one that was created or changed since.
	Set(object *T)
	// Delete is called for every object that was deleted.
	Delete(object *T)
	// Listed is called after every list.
	Listed()
}

// retryAfter is the time until a watch that ended is begun again, so that one that is refused each time makes few requests.
const retryAfter = time.Second

// Follow lists objects that are not in a namespace and watches them until the context ends, which is no error. A watch that ends is
// resumed, and begins with another list where its resource version is no longer known. Errors of the first list are returned, and those
// that say that the user may not watch; others are retried. They are explained, see Explain.
func Follow[T any](ctx context.Context, c *Client, kind schema.GroupVersionResource, options metav1.ListOptions, follower Follower[T]) error {
	version, err := relist(ctx, c, kind, options, follower)
	if err != nil {
		return unlessEnded(ctx, Explain(err, "list", kind))
	}
	for ctx.Err() == nil {
		if version == "" {
			version, _ = relist(ctx, c, kind, options, follower) // retried
		}
		if version != "" {
			version, err = watchFrom(ctx, c, kind, options, version, follower)
		}
		if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
			return unlessEnded(ctx, Explain(err, "watch", kind))
		}
		pause(ctx)
	}
	return nil
}

// unlessEnded returns an error that is not the end of the context.
func unlessEnded(ctx context.Context, err error) error {
	select {
	case <-ctx.Done():
		return nil
	default:
		return err
	}
}

func pause(ctx context.Context) {
	timer := time.NewTimer(retryAfter)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func relist[T any](ctx context.Context, c *Client, kind schema.GroupVersionResource, options metav1.ListOptions, follower Follower[T]) (version string, err error) {
	follower.Begin()
	version, err = list(ctx, c, kind, "", options, func(object *T) error {
		follower.Set(object)
		return nil
	})
	if err == nil {
		follower.Listed()
	}
	return version, err
}

// watchFrom watches until the watch ends, and returns the resource version to go on from, empty where another list is needed.
func watchFrom[T any](ctx context.Context, c *Client, kind schema.GroupVersionResource, options metav1.ListOptions, version string, follower Follower[T]) (string, error) {
	all := parameters(options)
	all["limit"], all["resourceVersion"], all["watch"], all["allowWatchBookmarks"] = "", version, "true", "true"
	stream, err := c.get(path(kind, "", ""), all).Stream(ctx)
	if err != nil {
		if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
			return "", err
		}
		return version, err
	}
	defer func() { _ = stream.Close() }() // it was read
	return takeEvents(stream, version, follower)
}

// event is a line of a watch.
type event struct {
	Type   watch.EventType `json:"type"`
	Object json.RawMessage `json:"object"`
}

// takeEvents reads events until the stream ends, and returns the resource version of the last.
func takeEvents[T any](stream io.Reader, version string, follower Follower[T]) (string, error) {
	decoder := json.NewDecoder(stream)
	for {
		var next event
		if err := decoder.Decode(&next); err != nil {
			return version, err // how watches end
		}
		var meta struct {
			Metadata metav1.ListMeta `json:"metadata"`
			Code     int             `json:"code"` // of an error
			Message  string          `json:"message"`
		}
		object := new(T)
		if err := json.Unmarshal(next.Object, &meta); err != nil {
			return version, err
		}
		if next.Type == watch.Error {
			if meta.Code == http.StatusGone {
				version = ""
			}
			return version, fmt.Errorf("watching: %s", meta.Message)
		}
		version = meta.Metadata.ResourceVersion
		if next.Type == watch.Bookmark {
			continue
		}
		if err := decode(next.Object, object); err != nil {
			return version, err
		}
		if next.Type == watch.Deleted {
			follower.Delete(object)
			continue
		}
		follower.Set(object)
	}
}

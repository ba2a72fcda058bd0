package cluster

import (
	"context"
	"io"
	"strconv"
)

// LogOptions choose what of a container's log is read.
type LogOptions struct {
	// Container is its name.
	Container string
	// Previous chooses the log of the container that ran before, which has ended.
	Previous bool
	// Lines bounds the log to its last lines, Bytes to so many bytes.
	Lines, Bytes int64
}

// Log reads the log of a container.
func (c *Client) Log(ctx context.Context, namespace, pod string, options LogOptions) ([]byte, error) {
	request := c.rest.Get().AbsPath(append(path(Pods, namespace, pod), "log")...).
		Param("container", options.Container).
		Param("timestamps", "true").
		Param("tailLines", strconv.FormatInt(options.Lines, 10)).
		Param("limitBytes", strconv.FormatInt(options.Bytes, 10))
	if options.Previous {
		request = request.Param("previous", "true")
	}
	stream, err := request.Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }() // it was read to its end
	return io.ReadAll(io.LimitReader(stream, options.Bytes))
}

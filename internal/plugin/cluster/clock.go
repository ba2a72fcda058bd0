package cluster

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Clock returns the time of the API server's clock, with a resolution of a second, and the time of this machine's clock at that
// moment. It is the Date of a response (RFC 9110, section 6.6.1).
func (c *Client) Clock(ctx context.Context) (server, local time.Time, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.rest.Get().AbsPath("version").URL().String(), nil)
	if err != nil {
		return server, local, err
	}
	asked := time.Now()
	response, err := c.http.Do(request)
	if err != nil {
		return server, local, err
	}
	defer func() { _ = response.Body.Close() }() // nothing is read from it
	answered := time.Now()
	server, err = http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return server, local, fmt.Errorf("reading the time of the API server: %w", err)
	}
	// The header is cut to whole seconds, so on average it is half a second behind.
	return server.Add(time.Second / 2), asked.Add(answered.Sub(asked) / 2), nil
}

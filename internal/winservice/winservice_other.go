//go:build !windows

package winservice

import (
	"context"
	"io"
)

// Install returns ErrUnsupported.
func Install(Config) (string, error) { return "", ErrUnsupported }

// Uninstall returns ErrUnsupported.
func Uninstall(context.Context, string, io.Writer) (string, error) { return "", ErrUnsupported }

// Start returns ErrUnsupported.
func Start(context.Context, string, io.Writer) (string, error) { return "", ErrUnsupported }

// Stop returns ErrUnsupported.
func Stop(context.Context, string, io.Writer) (string, error) { return "", ErrUnsupported }

// Query returns ErrUnsupported.
func Query(string) (Status, error) { return Status{}, ErrUnsupported }

// Run returns ErrUnsupported.
func Run(string, func(context.Context) error) error { return ErrUnsupported }

// EventLog returns a log that drops everything.
func EventLog(string) *Log { return &Log{} }

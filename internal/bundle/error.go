package bundle

import "github.com/vaultpane/vaultpane/internal/bundle/failure"

// Error is what Parse returns. Its text never holds any part of the value.
type Error = failure.Error

// Reason is what is wrong with a secret's value. Each is the name of a reason in the API.
type Reason = failure.Reason

// The reasons.
const (
	UnsupportedContentType = failure.UnsupportedContentType
	MalformedSecret        = failure.MalformedSecret
	PrivateKeyMissing      = failure.PrivateKeyMissing
	KeyMismatch            = failure.KeyMismatch
)

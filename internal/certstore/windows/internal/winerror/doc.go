// Package winerror gives error codes of Windows their name and text (winerror.h).
package winerror

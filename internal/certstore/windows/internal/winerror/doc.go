// Package winerror adds names and English texts to Windows error codes in errors (winerror.h).
package winerror

// Package support collects what a report of a bug needs into one archive, without secrets: no Secret is read, variables and other
// values that are named like a secret are removed, and so is text that looks like a token or a private key.
package support

// Package storetest is the conformance suite for implementations of certstore.Store. The directory passes it, and Windows' own
// store under Wine and on Windows.
package storetest

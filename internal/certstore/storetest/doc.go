// Package storetest is the suite that every certificate store has to pass: the directory, Windows' own under Wine, and
// Windows' own on Windows.
package storetest

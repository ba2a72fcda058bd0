// Package doctor looks from outside at what usually goes wrong with Vaultpane in a cluster, and says what to do about each. A check is a
// pure function over a Snapshot; the reader of the Snapshot is the only part that talks to the API server.
package doctor

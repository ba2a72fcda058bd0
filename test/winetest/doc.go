// Package winetest is for tests that run under Wine too: it reports whether they do, and does for them what Wine lacks.
package winetest

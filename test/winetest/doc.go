// Package winetest reports to tests whether they run under Wine.
package winetest

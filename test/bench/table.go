package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/test/bench/result"
)

// table is what was measured.
type table = result.Table

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func seconds(values []float64) string {
	var each []string
	for _, value := range values {
		each = append(each, fmt.Sprintf("%.2f", value))
	}
	return fmt.Sprintf("%.2f s (%s)", median(values), strings.Join(each, ", "))
}

// listed names writes and their counts, in order; 0 for none.
func listed(writes map[string]int) string {
	var each []string
	for _, what := range slices.Sorted(maps.Keys(writes)) {
		each = append(each, fmt.Sprintf("%d %s", writes[what], what))
	}
	if len(each) == 0 {
		return "0"
	}
	return strings.Join(each, ", ")
}

// thousands writes a number as 12,345.
func thousands(number int) string {
	if number < 1000 {
		return fmt.Sprint(number)
	}
	return thousands(number/1000) + fmt.Sprintf(",%03d", number%1000)
}

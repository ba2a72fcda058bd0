// Package nearest finds the name that was probably meant by a misspelt one.
package nearest

import (
	"slices"
	"strings"
)

// Advice returns the end of a sentence about an unknown name: "; use url instead" if one of the known names is near, else
// "; the known names are ...", sorted.
func Advice(name string, known []string) string {
	if best := Name(name, known); best != "" {
		return "; probably " + best + " is meant, correct or remove it"
	}
	if len(known) == 0 {
		return "; remove it"
	}
	sorted := slices.Sorted(slices.Values(known))
	return "; the known names are " + strings.Join(sorted, ", ")
}

// called are names that other programs use for a setting, such as Azure's osProfile, in their simple form.
var called = map[string]string{"certificateurl": "url", "secreturl": "url", "secreturi": "url", "keyvaulturl": "url", "certificatestore": "certificateStoreName"}

// Name returns the known name that is nearest to a misspelt one, empty if none is near: the same but for case and punctuation,
// the beginning or end of it, or at most a third of its letters changed.
func Name(name string, known []string) string {
	plain := simple(name)
	if other := called[plain]; slices.Contains(known, other) {
		return other
	}
	best, least := "", len(plain)/3+1
	for _, candidate := range slices.Sorted(slices.Values(known)) {
		other := simple(candidate)
		distance := Distance(plain, other)
		if len(plain) > 3 && (strings.HasPrefix(other, plain) || strings.HasSuffix(other, plain)) {
			distance = 1
		}
		if distance < least || best != "" && distance == least && len(candidate) < len(best) {
			best, least = candidate, distance
		}
	}
	return best
}

func simple(name string) string {
	return strings.NewReplacer("-", "", "_", "", ".", "", " ", "").Replace(strings.ToLower(name))
}

// longest bounds the names that are compared, because the time is the product of their lengths.
const longest = 64

// Distance is the number of letters to insert, remove or replace to turn one name into the other (Levenshtein). For a name of more
// than 64 bytes it is more than both are long.
func Distance(a, b string) int {
	if len(a) > longest || len(b) > longest {
		return len(a) + len(b) + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0]++
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

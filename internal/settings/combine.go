package settings

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Combine joins the certificates of several files into one set with unique names. Files earlier in the slice win: a certificate
// of the extension's settings that is there twice with the same settings is one; with others, it is a Problem at the later place,
// and so is a manifest's name that is taken. A certificate of the extension's settings whose name another has gets the longer name,
// as in the Helm chart: the first by the path of its file, whatever their order here. Its UID follows from what it installs where,
// so that it stays the same certificate under another name.
func Combine(files []File) ([]v1alpha1.ObservedCertificate, Problems) {
	var all []placed
	for _, file := range files {
		for i, certificate := range file.Certificates {
			all = append(all, placed{object: *certificate.DeepCopy(), file: file.Path, Position: file.Positions[i]})
		}
	}
	combined, problems := combine(all)
	certificates := make([]v1alpha1.ObservedCertificate, len(combined))
	for i, one := range combined {
		certificates[i] = one.object
	}
	return certificates, problems
}

// placed is a certificate with its place.
type placed struct {
	object v1alpha1.ObservedCertificate
	file   string
	Position
}

func (p placed) place() string { return fmt.Sprintf("%s:%d", p.file, p.Line) }

func (p placed) problem(key, value, format string, arguments ...any) Problem {
	problem := Problem{File: p.file, Line: p.Line, Field: p.Field, Value: value, Text: fmt.Sprintf(format, arguments...)}
	if key != "" {
		problem.Field = join(p.Field, key)
	}
	return problem
}

func combine(all []placed) (combined []placed, problems Problems) {
	all, problems = withoutRepetitions(all)
	derived := derivedNames(all)
	names := map[string]placed{}
	for _, one := range all {
		if one.Extension {
			one.object.Name, one.object.UID = derived[one.target()], UID("target", one.target())
		}
		if first, taken := names[one.object.Name]; taken {
			problems = append(problems, sameName(first, one))
			continue
		}
		names[one.object.Name] = one
		combined = append(combined, one)
	}
	return combined, problems
}

// withoutRepetitions returns one of the certificates of the extension's settings that are there several times, and what contradicts
// it.
func withoutRepetitions(all []placed) (distinct []placed, problems Problems) {
	targets := map[string]placed{}
	for _, one := range all {
		if one.Extension {
			first, again := targets[one.target()]
			if again && !sameSettings(first, one) {
				problems = append(problems, one.problem("", "", "has %s for the store %s of %s a second time, with other settings than at %s; remove one of the two",
					one.object.Spec.URL, one.object.Spec.CertificateStoreName, one.object.Spec.CertificateStoreLocation, first.place()))
			}
			if again {
				continue
			}
			targets[one.target()] = one
		}
		distinct = append(distinct, one)
	}
	return distinct, problems
}

// derivedNames returns the names of the certificates of the extension's settings, by target.
func derivedNames(all []placed) map[string]string {
	inOrder := slices.Clone(all)
	slices.SortStableFunc(inOrder, func(a, b placed) int { return strings.Compare(a.file, b.file) })
	taken, derived := map[string]bool{}, map[string]string{}
	for _, one := range inOrder {
		if one.Extension {
			name := derivedName(one.object.Spec, taken)
			taken[name], derived[one.target()] = true, name
		}
	}
	return derived
}

// UID returns a UID that follows from what a certificate of a settings file is identified by. It is a UUID of version 8, whose
// content is free (RFC 9562, section 5.8). Marks in stores have it, so it must never change.
func UID(kind, identity string) types.UID {
	sum := sha256.Sum256([]byte("vaultpane.dev/ObservedCertificate/" + kind + "/" + identity))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return types.UID(fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16]))
}

func sameName(first, second placed) Problem {
	problem := sameNameText(first, second)
	problem.Other = first.file
	return problem
}

func sameNameText(first, second placed) Problem {
	name := second.object.Name
	if second.Extension {
		return second.problem("", "", "gets the name %s, which the ObservedCertificate at %s has; choose another name there", name, first.place())
	}
	if first.Extension {
		return second.problem("metadata.name", fmt.Sprintf("%q", name), "the certificate of the extension's settings at %s gets this name; choose another", first.place())
	}
	return second.problem("metadata.name", fmt.Sprintf("%q", name), "the ObservedCertificate at %s has this name; choose another, or remove one of the two", first.place())
}

// target identifies what is installed where: the URL without regard to case and :443, the store and its location.
func (p placed) target() string {
	host, path, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(p.object.Spec.URL), "https://"), "/")
	return strings.TrimSuffix(host, ":443") + "/" + path + "|" + strings.ToLower(p.object.Spec.CertificateStoreName) + "|" + string(p.object.Spec.CertificateStoreLocation)
}

// sameSettings compares what is beside the target.
func sameSettings(a, b placed) bool {
	a.object.Spec.URL, b.object.Spec.URL = "", ""
	a.object.Spec.CertificateStoreName, b.object.Spec.CertificateStoreName = "", ""
	return reflect.DeepEqual(a.object.Spec, b.object.Spec)
}

package tidy

import (
	"regexp"
	"strings"

	"github.com/vaultpane/vaultpane/internal/convert/find"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/settings/document"
)

var (
	scheme = regexp.MustCompile(`(?i)^(https?):/+`)
	// hidden is a vault's host without a scheme.
	hidden = regexp.MustCompile(`(?i)^[0-9a-z-]+\.vault\.(azure\.net|azure\.cn|usgovcloudapi\.net)(:[0-9]+)?/+secrets/`)
	// collection is the first part of a path, in any case.
	collection = regexp.MustCompile(`(?i)^/+(secrets|certificates|keys)(/|$)`)
	slashes    = regexp.MustCompile(`/{2,}`)
	version    = regexp.MustCompile(`(/secrets/[^/]+)/[0-9a-fA-F]{32}$`)
)

// url puts the form of a URL right. It returns nil if it is no URL of a secret, whatever its form.
func (r *reading) url(at find.Value) *document.Node {
	if at.Node.Kind != document.String {
		r.Findings.Hand(at.Place, "is %s, must be the URL of a secret; this certificate is left out", finding.Shown(at.Node))
		return nil
	}
	text := strings.TrimSpace(at.Node.Text)
	if hidden.MatchString(text) {
		r.Findings.Note(at.Place, "is %s, without https:// in front; it is added", finding.Shown(at.Node))
		text = "https://" + text
	}
	begin := scheme.FindString(text)
	if begin == "" {
		return document.NewString(text, at.Line) // the CRD's rules say what is wrong
	}
	rest := text[len(begin):]
	rest, dropped := withoutQuery(rest)
	host, path, _ := strings.Cut(rest, "/")
	if strings.EqualFold(begin[:5], "http:") {
		host = strings.TrimSuffix(host, ":80")
	}
	if path = r.path(at, "/"+path); path == "" {
		return nil
	}
	if r.Latest {
		path = version.ReplaceAllString(path, "$1")
	}
	made := "https://" + strings.ToLower(host) + path
	r.corrected(at, begin, rest, made, dropped)
	return document.NewString(made, at.Line)
}

// withoutQuery removes a query and a fragment, and returns the query's first name, which is all of it that is shown.
func withoutQuery(text string) (rest, dropped string) {
	end := strings.IndexAny(text, "?#")
	if end < 0 {
		return text, ""
	}
	if text[end] == '#' {
		return text[:end], "what is behind #"
	}
	name, _, _ := strings.Cut(text[end:], "=")
	return text[:end], "the query " + name
}

// path returns the path of a secret, empty with a finding if it is that of something else.
func (r *reading) path(at find.Value, path string) string {
	path = strings.TrimRight(slashes.ReplaceAllString(path, "/"), "/")
	parts := collection.FindStringSubmatch(path)
	if parts == nil {
		r.Findings.Hand(at.Place, "is %s: names no secret; the path must be /secrets/<name>. This certificate is left out", finding.Shown(at.Node))
		return ""
	}
	switch strings.ToLower(parts[1]) {
	case "keys":
		r.Findings.Hand(at.Place, "is %s: /keys/ is a key without a certificate; the path must be /secrets/<name>. This certificate is left out", finding.Shown(at.Node))
		return ""
	case "certificates":
		r.Findings.Hand(at.Place, "is %s: /certificates/ becomes /secrets/, which has the private key too; agree that the key goes to the nodes", finding.Shown(at.Node))
	}
	return "/secrets" + path[len("/")+len(parts[1]):]
}

// corrected says what was put right in the form of a URL. The case of the host has no meaning.
func (r *reading) corrected(at find.Value, begin, rest, made, dropped string) {
	var forms []string
	if strings.EqualFold(begin[:5], "http:") {
		forms = append(forms, "http: becomes https:")
	}
	if dropped != "" {
		forms = append(forms, dropped+" is removed")
	}
	host, path, _ := strings.Cut(rest, "/")
	asWritten := begin + strings.ToLower(host) + strings.Replace("/"+path, "/certificates/", "/secrets/", 1)
	if r.Latest {
		asWritten = version.ReplaceAllString(asWritten, "$1")
	}
	if len(forms) > 0 || asWritten != made || at.Node.Text != strings.TrimSpace(at.Node.Text) {
		r.Findings.Note(at.Place, "is %s: %s", finding.Shown(at.Node), strings.Join(append(forms, "it is read as "+made), "; "))
	}
}

var pinnedURL = regexp.MustCompile(`/secrets/[^/]+/[0-9a-fA-F]{32}$`)

// pinned says that a URL with a version does not follow renewals.
func (r *reading) pinned(v find.Value, url string) {
	if !pinnedURL.MatchString(url) {
		return
	}
	more := ""
	if r.site.Terraform {
		more = " Terraform's secret_id has a version; versionless_secret_id has none."
	}
	r.Findings.Note(v.Place, "has a version in its URL and stays with it: renewals are not followed. --latest removes the version.%s", more)
}

package keyvault

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// endless is a body without an end.
type endless struct{ pattern string }

// Read implements io.Reader.
func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.pattern[i%len(e.pattern)]
	}
	return len(p), nil
}

// bomb is a gigabyte of JSON that is a megabyte with gzip.
func bomb(t *testing.T) []byte {
	t.Helper()
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, err := io.WriteString(writer, `{"value":"`)
	check(t, err)
	_, err = io.CopyN(writer, endless{"a"}, 1<<28)
	check(t, err)
	check(t, writer.Close())
	return packed.Bytes()
}

// Each is a body of a vault, a token service or a proxy that tries to exhaust memory or time.
func TestAHostileBodyIsBounded(t *testing.T) {
	packed := bomb(t)
	bodies := map[string]struct {
		header [2]string
		write  func(http.ResponseWriter, *http.Request)
		says   string
	}{
		"without an end": {[2]string{"X", "y"}, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, endless{" "}) }, "larger than 2 MiB"},
		"without an end, of a refusal": {[2]string{"X-Status", "403"}, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.Copy(w, endless{"{"})
		}, "larger than 2 MiB"},
		"a gzip bomb": {[2]string{"Content-Encoding", "gzip"}, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(packed) }, "larger than 2 MiB"},
		"a length that is not kept": {[2]string{"Content-Length", "1000000"}, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"value":"`)
		}, "the connection failed"},
		"JSON that is deep": {[2]string{"X", "y"}, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat(`{"a":`, 100000))
		}, "not Key Vault's JSON"},
		"slow": {[2]string{"X", "y"}, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(20 * time.Millisecond):
				}
			}
		}, "no response in time"},
		"headers without an end": {[2]string{"X", "y"}, func(w http.ResponseWriter, _ *http.Request) {
			for i := range 2000 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("a", 1000))
			}
			w.WriteHeader(http.StatusOK)
		}, ""},
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			base := f.gateway(t, func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("Authorization") == "" {
					return false
				}
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set(body.header[0], body.header[1])
				body.write(w, r)
				return true
			})
			secret := urlOf(t, base+"/secrets/word")
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := f.clients.fetch(ctx, request{secret: secret})
			runtime.ReadMemStats(&after)
			_ = f.wantFailure(t, err, secret, v1alpha1.ReasonVaultUnreachable, body.says)
			if grown := int64(after.TotalAlloc - before.TotalAlloc); grown > 64<<20 {
				t.Errorf("took %d MiB", grown>>20)
			}
		})
	}
}

func TestAHostileTokenServicesBodyIsBounded(t *testing.T) {
	packed := bomb(t)
	for name, write := range map[string]func(http.ResponseWriter){
		"without an end": func(w http.ResponseWriter) { _, _ = io.Copy(w, endless{" "}) },
		"a gzip bomb": func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			login := f.frontend(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				write(w)
			}))
			setting("AZURE_AUTHORITY_HOST", login.URL+"/")(t, f)
			_, err := f.read(t, f.vault, "word")
			_ = f.wantFailure(t, err, urlOf(t, f.vault.SecretURL("word")), v1alpha1.ReasonVaultUnreachable, "token service 127.0.0.1:", "larger than 2 MiB")
		})
	}
}

// Text of a vault ends up in status, events, logs and on terminals.
func TestAVaultsTextIsSafeToShow(t *testing.T) {
	f := newFixture(t)
	f.vault.FailWith(http.StatusForbidden, "Forbidden", "Access\u009bDenied", "no \x1b[31mway\x1b[0m \u202eback\u2066 \u2028 here\u200b\x00 \u0085 "+strings.Repeat("long ", 500), -1)
	_, err := f.read(t, f.vault, "word")
	failure := f.wantFailure(t, err, urlOf(t, f.vault.SecretURL("word")), v1alpha1.ReasonAccessDenied, "no way", "back", "here")
	for _, r := range failure.Message {
		if r < ' ' || r >= 0x7f && r <= 0x9f || strings.ContainsRune("\u202e\u2066\u2028\u200b", r) {
			t.Errorf("got %q, which holds %U", failure.Message, r)
		}
	}
}

func TestASecretThatIsReturnedAndNotEnabledIsDisabled(t *testing.T) {
	f := newFixture(t)
	base := f.gateway(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == "" {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"id":"https://v/secrets/word/%s","value":%q,"attributes":{"enabled":false}}`, strings.ToLower(version), secretValue)
		return true
	})
	urls, errs := f.readAll(t, base, 1)
	urls[0] = urlOf(t, base+"/secrets/word-0")
	_ = f.wantFailure(t, errs[0], urls[0], v1alpha1.ReasonSecretDisabled, "not enabled", "enable that version")
}

func TestAForbiddenSecretsReasonFollowsItsText(t *testing.T) {
	for message, want := range map[string]v1alpha1.Reason{
		"The secret cannot be read before the secret's nbf.":              v1alpha1.ReasonSecretNotYetValid,
		"Access denied: current time is before nbf":                       v1alpha1.ReasonSecretNotYetValid,
		"Operation get is not allowed on a secret that is not yet valid.": v1alpha1.ReasonSecretNotYetValid,
		"The secret cannot be read after the secret's exp.":               v1alpha1.ReasonExpired,
		"The secret has expired.":                                         v1alpha1.ReasonExpired,
		"Operation get is not allowed on an expired secret.":              v1alpha1.ReasonExpired,
		"The secret is not enabled.":                                      v1alpha1.ReasonSecretDisabled,
		"does not have secrets get permission on key vault 'nbf'":         v1alpha1.ReasonAccessDenied,
		"no permission for before-the-secrets-nbf":                        v1alpha1.ReasonAccessDenied,
	} {
		for _, inner := range []string{"AccessDenied", "Forbidden"} {
			if got := reasonFor(http.StatusForbidden, inner, message); got != want {
				t.Errorf("%s, %q: got %s, want %s", inner, message, got, want)
			}
		}
	}
	if got := reasonFor(http.StatusForbidden, "ForbiddenByRbac", "before the secret's nbf"); got != v1alpha1.ReasonAccessDenied {
		t.Errorf("a role that is missing: got %s", got)
	}
}

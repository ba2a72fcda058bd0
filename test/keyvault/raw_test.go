package keyvault

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

type rawAnswer struct {
	status int
	header http.Header
	body   []byte
}

func (r rawAnswer) contains(text string) bool { return bytes.Contains(r.body, []byte(text)) }

// rawGet reads the secret "word" of the vault "shop" without the SDK.
func rawGet(t *testing.T, s *Server, authorization string) rawAnswer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Vault("shop").SecretURL("word")+"?api-version=7.6", nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := clientOptions(t, s).Transport.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // it has been read completely
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return rawAnswer{response.StatusCode, response.Header, body}
}

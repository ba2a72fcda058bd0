package keyvault

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets/fake"
)

// render returns the response with a secret or the list of its versions, which exist. Its form comes from the SDK's own types.
// The caller holds the lock.
func (v *Vault) render(r *http.Request, asked request) answer {
	in := v.secrets[key(asked.name)]
	operation := "Client.GetSecret"
	if asked.list {
		operation = "Client.NewListSecretPropertiesVersionsPager"
	}
	// A transport for each request: it keeps the pages of a list until they are requested, by path.
	transport := fake.NewServerTransport(&fake.Server{
		GetSecret: func(context.Context, string, string, *azsecrets.GetSecretOptions) (
			response azfake.Responder[azsecrets.GetSecretResponse], _ azfake.ErrorResponder,
		) {
			found, _ := in.find(asked.version) // refusal has checked that it exists
			response.SetResponse(http.StatusOK, azsecrets.GetSecretResponse{Secret: v.message(in, found)}, nil)
			return response, azfake.ErrorResponder{}
		},
		NewListSecretPropertiesVersionsPager: func(string, *azsecrets.ListSecretPropertiesVersionsOptions) (
			pages azfake.PagerResponder[azsecrets.ListSecretPropertiesVersionsResponse],
		) {
			page := v.pageOf(in, r.URL.Query().Get(skipParameter))
			pages.AddPage(http.StatusOK, azsecrets.ListSecretPropertiesVersionsResponse{SecretPropertiesListResult: page}, nil)
			return pages
		},
	})
	response, err := transport.Do(r.WithContext(context.WithValue(r.Context(), runtime.CtxAPINameKey{}, operation)))
	if err != nil {
		return failure(http.StatusInternalServerError, "InternalServerError", "", err.Error())
	}
	defer func() { _ = response.Body.Close() }() // it has been read completely
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return failure(http.StatusInternalServerError, "InternalServerError", "", err.Error())
	}
	return answer{status: response.StatusCode, header: map[string]string{"Content-Type": jsonType}, body: body}
}

func (v *Vault) id(kind string, in *secret, one *version) *azsecrets.ID {
	return to.Ptr(azsecrets.ID(v.URL() + "/" + kind + "/" + in.name + "/" + one.id))
}

func (v *Vault) message(in *secret, one *version) azsecrets.Secret {
	message := azsecrets.Secret{
		ID: v.id("secrets", in, one), Value: to.Ptr(one.value), ContentType: textOrNil(one.contentType),
		Attributes: one.attributes(), PreviousVersion: textOrNil(one.previous),
	}
	if one.managed {
		message.Managed, message.KID = to.Ptr(true), v.id("keys", in, one)
	}
	return message
}

// pageSize is how many versions are in a page of a list, as in Key Vault
// (https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret-versions/get-secret-versions).
const pageSize = 25

// skipParameter is the query parameter of a link to the next page, which says how many versions were before it. Key Vault's own
// value is opaque.
const skipParameter = "$skiptoken"

// pageOf returns a page of the list of versions, with a link to the next.
func (v *Vault) pageOf(in *secret, skip string) azsecrets.SecretPropertiesListResult {
	all := v.propertiesOf(in)
	start, _ := strconv.Atoi(skip) // the first page has none
	start = max(0, min(start, len(all)))
	end := min(start+pageSize, len(all))
	page := azsecrets.SecretPropertiesListResult{Value: all[start:end]}
	if end < len(all) {
		page.NextLink = to.Ptr(fmt.Sprintf("%s/secrets/%s/versions?api-version=7.6&%s=%d", v.URL(), in.name, skipParameter, end))
	}
	return page
}

// propertiesOf returns the versions in the order of their ids, as Key Vault does: not by time.
func (v *Vault) propertiesOf(in *secret) []*azsecrets.SecretProperties {
	properties := make([]*azsecrets.SecretProperties, 0, len(in.versions))
	for _, one := range slices.SortedFunc(slices.Values(in.versions), func(a, b *version) int { return cmp.Compare(a.id, b.id) }) {
		entry := &azsecrets.SecretProperties{
			ID: v.id("secrets", in, one), ContentType: textOrNil(one.contentType), Attributes: one.attributes(),
		}
		if one.managed {
			entry.Managed = to.Ptr(true)
		}
		properties = append(properties, entry)
	}
	return properties
}

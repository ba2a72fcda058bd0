package httpsys

import (
	"testing"

	"github.com/vaultpane/vaultpane/test/winetest"
)

func TestLayoutOfRecords(t *testing.T) {
	winetest.Layout(t, []string{"winsock2.h", "ws2tcpip.h", "windows.h", "http.h"}, map[string]uint64{
		"sizeof(HTTP_SERVICE_CONFIG_SSL_SET)":                               uint64(addressRecord.size()),
		"offsetof(HTTP_SERVICE_CONFIG_SSL_SET, KeyDesc.pIpPort)":            uint64(addressRecord.address),
		"offsetof(HTTP_SERVICE_CONFIG_SSL_SET, ParamDesc)":                  uint64(addressRecord.param),
		"sizeof(HTTP_SERVICE_CONFIG_SSL_PARAM)":                             paramSize,
		"offsetof(HTTP_SERVICE_CONFIG_SSL_PARAM, SslHashLength)":            paramHashLength,
		"offsetof(HTTP_SERVICE_CONFIG_SSL_PARAM, pSslHash)":                 paramHash,
		"offsetof(HTTP_SERVICE_CONFIG_SSL_PARAM, AppId)":                    paramAppID,
		"offsetof(HTTP_SERVICE_CONFIG_SSL_PARAM, pSslCertStoreName)":        paramStoreName,
		"offsetof(HTTP_SERVICE_CONFIG_SSL_PARAM, pDefaultSslCtlIdentifier)": paramCtlID,
		"offsetof(HTTP_SERVICE_CONFIG_SSL_PARAM, pDefaultSslCtlStoreName)":  paramCtlStore,
		"sizeof(struct { SOCKADDR_STORAGE address; PWSTR host; })":          uint64(hostRecord.param), // HTTP_SERVICE_CONFIG_SSL_SNI_KEY, which the headers may lack
		"sizeof(SOCKADDR_STORAGE)":                                          uint64(hostRecord.host),
		"AF_INET":                                                           familyIPv4,
		"AF_INET6":                                                          familyIPv6,
		"sizeof(HTTP_SERVICE_CONFIG_SSL_QUERY)":                             uint64(querySize(Key{Name: "0.0.0.0:443"})),
	})
}

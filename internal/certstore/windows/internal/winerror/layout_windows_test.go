package winerror

import (
	"testing"

	"github.com/vaultpane/vaultpane/test/winetest"
)

func TestLayoutOfStatuses(t *testing.T) {
	values := map[string]uint64{}
	for code, one := range statuses {
		values["(unsigned)"+one.name] = uint64(code)
	}
	winetest.Layout(t, []string{"windows.h", "winerror.h"}, values)
}

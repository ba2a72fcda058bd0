//go:build linux

package e2enode

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/vaultpane/vaultpane/test/linuxnode"
)

var (
	ownNetwork = flag.Bool("own-network", false, "the network namespace is new and for this test only; without it nothing is tested")
	imagesFlag = flag.String("images", filepath.Join("..", "..", ".cache", "e2e-node", "images"), "folder with the OCI layouts of the images")
	chartFlag  = flag.String("chart", filepath.Join("..", "..", "charts", "vaultpane"), "folder of the chart to install")
	renewal    = flag.Bool("renewal", false, "wait until kubelet renews the token by itself, which takes nine minutes")
)

func TestMain(m *testing.M) {
	linuxnode.Init() // does not return in the node's first process
	flag.Parse()
	if !*ownNetwork {
		fmt.Println("e2e-node: it changes its network; make e2e-node runs it in a namespace")
		return
	}
	os.Exit(m.Run())
}

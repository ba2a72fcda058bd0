// Command images builds Vaultpane's container images without a container engine: the binaries, an OCI layout for each image
// with all its platforms, a bill of materials for each platform, and the provenance of each image. It checks what it built
// before it says PASS. Two runs on the same commit with the same Go give the same digests.
//
// Bills and provenance are files next to the layouts and not entries of the index, because older versions of containerd take
// them for a platform (https://github.com/containerd/containerd/pull/8106).
package main

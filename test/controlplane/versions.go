package controlplane

// The pins: everything else about versions follows from these four.
const (
	kubernetesMajor = "1"
	kubernetesMinor = "37"
	kubernetesPatch = "2"
	etcdVersion     = "v3.6.8"
)

const (
	kubernetesVersion = "v" + kubernetesMajor + "." + kubernetesMinor + "." + kubernetesPatch
	// stagingVersion is what the modules under Kubernetes' staging folder are published as.
	stagingVersion = "v0." + kubernetesMinor + "." + kubernetesPatch
	// envtestSelector is for setup-envtest, whose index does not hold every patch release.
	envtestSelector = kubernetesMajor + "." + kubernetesMinor + ".x"
)

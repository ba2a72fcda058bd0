package startuptaint

// What tests from outside need beside SetupWithManager.
var (
	Prepare          = (*Reconciler).prepare
	RemoveAllInPages = removeAll
)

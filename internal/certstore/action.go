package certstore

// Action is one step of a plan, each safe to repeat: an *Install, *Update, *Link, *Remove or *Keep.
type Action interface{ action() }

// Install puts a certificate into a store or replaces its key and mark.
type Install struct {
	Ref  Ref
	Item Item
}

// Update changes a certificate's mark or who may use its key.
type Update struct {
	Ref        Ref
	Thumbprint string
	Change     Change
}

// Link links a superseded certificate to the one that renews it, which must be in the same store with its key and be valid;
// or takes the link away, where Successor is empty.
type Link struct {
	Ref        Ref
	Thumbprint string
	Successor  string
}

// Remove removes a certificate and its key, when the successor is in place: readable, with its key if it should have one,
// and valid.
type Remove struct {
	Ref        Ref
	Thumbprint string
	// UID is whose certificate it is: one that has passed to another since is not removed.
	UID string
	// Successor must be in SuccessorRef with its key and be valid at the time of the removal; empty for a removal that
	// was asked for without one (deletionPolicy Delete).
	Successor    string
	SuccessorRef Ref
}

// Keep changes nothing: it says that a certificate would be removed, but for what is still served with it.
type Keep struct {
	Ref        Ref
	Thumbprint string
	Bound      []string
}

func (*Install) action() {}
func (*Update) action()  {}
func (*Link) action()    {}
func (*Remove) action()  {}
func (*Keep) action()    {}

// Conflict says why the wanted certificate cannot be as its ObservedCertificate wants it. Nothing is changed then.
type Conflict struct {
	// Message says who holds the certificate, and what to do.
	Message string
}

// Error returns the message.
func (c *Conflict) Error() string { return c.Message }

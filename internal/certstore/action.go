package certstore

// Action is one step of a plan: an *Install, *Update, *Link, *Remove or *Keep. Each is safe to repeat.
type Action interface{ action() }

// Install puts a certificate into a store or replaces its key and mark.
type Install struct {
	Ref  Ref
	Item Item
}

// Update changes a certificate's mark or the access list of its key.
type Update struct {
	Ref        Ref
	Thumbprint string
	Change     Change
}

// Link links a superseded certificate to its successor, which must be valid and in the same store with its key. If Successor is
// empty, it removes the link.
type Link struct {
	Ref        Ref
	Thumbprint string
	Successor  string
}

// Remove removes a certificate and its key, if the successor is readable, valid, and has its key where it should have one.
type Remove struct {
	Ref        Ref
	Thumbprint string
	// UID is the owner's. A certificate with another owner by now is not removed.
	UID string
	// Successor must be valid and in SuccessorRef with its key at the time of the removal. It is empty for a removal without a
	// successor (deletionPolicy Delete).
	Successor    string
	SuccessorRef Ref
}

// Keep changes nothing. It reports a certificate that would be removed if it were not bound (Bound, such as 0.0.0.0:443).
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

// Conflict is the error for a certificate that cannot be as its ObservedCertificate asks. Nothing is changed then.
type Conflict struct {
	// Message says what conflicts, and what to do.
	Message string
}

// Error returns the message.
func (c *Conflict) Error() string { return c.Message }

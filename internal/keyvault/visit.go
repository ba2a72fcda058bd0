package keyvault

import (
	"errors"
	"time"
)

// visit is one request on its way through the gates of its vault, of its identity's token service, and of this vault for this
// identity.
type visit struct{ vault, login, token *gate }

// begin passes the gates and pays from the budget, or returns a closedError or a Busy. The caller ends with leave.
func (v visit) begin(now time.Time) error {
	passed := make([]*gate, 0, 3)
	release := func() {
		for _, gate := range passed { // and not the one that is closed: another request may be finding out there
			gate.release(now)
		}
	}
	for _, gate := range []*gate{v.vault, v.login, v.token} {
		if err := gate.admit(now); err != nil {
			release()
			return err
		}
		passed = append(passed, gate)
	}
	err := v.vault.afford(now)
	if err != nil {
		release()
	}
	return err
}

// leave gives back what the visit did not make use of, also when the SDK panics.
func (v visit) leave(began time.Time) {
	v.vault.release(began)
	v.login.release(began)
	v.token.release(began)
}

// end records the outcome of the request. An answer about the secret, be it a refusal, says that all are well.
func (v visit) end(began, now time.Time, authority string, err error) {
	if errors.As(err, new(*closedError)) { // the other request has recorded it
		return
	}
	switch blame(authority, err) {
	case theVault:
		_ = v.vault.conclude(began, now, err, false) // who asks again too soon is told then
	case theLogin:
		_ = v.login.conclude(began, now, err, false)
	case theIdentity:
		v.login.refuse(began, now, err)
	case theToken:
		v.endRefused(began, now, err)
	case nothing:
		if pastChallenge(err) {
			_ = v.login.conclude(began, now, nil, false)
			_ = v.token.conclude(began, now, nil, false)
			_ = v.vault.conclude(began, now, nil, false)
		}
	}
}

// endRefused records that the token is refused, or refused for this vault. A server that says so in its own format is well.
func (v visit) endRefused(began, now time.Time, err error) {
	v.token.refuse(began, now, err)
	var refusal *refusalError
	switch errors.As(err, &refusal); {
	case refusal.login:
		_ = v.login.conclude(began, now, nil, false)
	case vaultErrorOf(refusal.body).Error.Code != "":
		_ = v.vault.conclude(began, now, nil, false)
	}
}

// refusedFault explains why a request was not sent: it shares what another one met. A Busy stays one.
func refusedFault(secret SecretURL, clientID string, err error) error {
	var closed *closedError
	if errors.As(err, &closed) {
		return faultOf(secret, clientID, closed.cause, closed.wait)
	}
	return err
}

// faultOf classifies a settled error. The next attempt comes no sooner than the vault is asked again.
func faultOf(secret SecretURL, clientID string, err error, wait time.Duration) error {
	err = classify(secret, clientID, err)
	var fault *Fault
	if errors.As(err, &fault) {
		fault.RetryAfter = max(fault.RetryAfter, wait)
	}
	return err
}

package keyvault

import (
	"errors"
	"time"
)

// visit is one request on its way through the gates of its vault and of its identity's token service.
type visit struct{ vault, login *gate }

// begin passes the gates and pays from the budget, or returns a closedError or a Busy. Whoever begins leaves.
func (v visit) begin(now time.Time) error {
	if err := v.vault.admit(now); err != nil {
		return err
	}
	if err := v.login.admit(now); err != nil {
		v.vault.release(now) // and not the login: another one may be finding out there
		return err
	}
	err := v.vault.afford(now)
	if err != nil {
		v.leave(now)
	}
	return err
}

// leave gives back what the visit did not make use of, also when the SDK panics.
func (v visit) leave(began time.Time) {
	v.vault.release(began)
	v.login.release(began)
}

// end takes down what became of the request. An answer about the secret, be it a refusal, says that both are well.
func (v visit) end(began, now time.Time, authority string, err error) {
	ill, loginIll := blame(authority, err)
	switch {
	case errors.As(err, new(*closedError)): // another one has taken it down
	case ill:
		_ = v.vault.conclude(began, now, err, false) // who asks again too soon is told then
	case loginIll:
		_ = v.login.conclude(began, now, err, false)
	case pastChallenge(err):
		_ = v.login.conclude(began, now, nil, false)
		_ = v.vault.conclude(began, now, nil, false)
	default:
		v.endRefused(began, now, err)
	}
}

// endRefused takes down a refusal before the secret was looked for. Who refuses in words of its own is well.
func (v visit) endRefused(began, now time.Time, err error) {
	var refusal *refusalError
	if !errors.As(err, &refusal) {
		return
	}
	switch {
	case refusal.login && entraErrorOf(refusal.body).Code != "":
		_ = v.login.conclude(began, now, nil, false)
	case !refusal.login && vaultErrorOf(refusal.body).Error.Code != "":
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

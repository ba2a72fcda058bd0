package main

import (
	"errors"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/test/install"
)

// testSilence has a controller that renews its Lease, and then none for an hour.
func testSilence(t *testing.T, s *site) {
	s.t = t
	s.report(at(nil))
	s.expect(0, nil, "wait", "--all")
	now := metav1.NewMicroTime(time.Now())
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: install.Namespace, Name: "vaultpane-controller"}, Spec: coordinationv1.LeaseSpec{RenewTime: &now}}
	if err := s.kube.Create(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	s.expect(0, nil, "status")
	before := metav1.NewMicroTime(time.Now().Add(-time.Hour))
	lease.Spec.RenewTime = &before
	if err := s.kube.Update(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	s.expect(1, []string{"The controller has not renewed its Lease for 1 h, so this status may be out of date: 'kubectl vaultpane doctor' says more."}, "status")
	s.expect(1, []string{"The controller has not renewed its Lease"}, "status", "cert-000")
	s.expect(1, []string{"The controller has not renewed its Lease"}, "status", "-o", "json")
	if err := errors.Join(s.kube.Delete(t.Context(), lease)); err != nil {
		t.Fatal(err)
	}
}

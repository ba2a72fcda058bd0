package certstore

import "testing"

func TestKeyAccess(t *testing.T) {
	const base = "D:P(A;;FA;;;S-1-5-18)(A;;FA;;;S-1-5-32-544)"
	tests := []struct {
		name     string
		location Location
		readers  []string
		want     string
	}{
		{"without accounts SYSTEM and Administrators have the key, and nobody else", LocalMachine, nil, base},
		{"an account may read", LocalMachine, []string{"S-1-5-20"}, base + "(A;;FR;;;S-1-5-20)"},
		{"the order and a repetition make no difference", LocalMachine, []string{"S-1-5-20", "S-1-5-19", "S-1-5-20"},
			base + "(A;;FR;;;S-1-5-19)(A;;FR;;;S-1-5-20)"},
		{"who has the key in full is not narrowed to reading", LocalMachine, []string{"S-1-5-32-544", "S-1-5-18"}, base},
		{"a user keeps the own key", CurrentUser, nil, base + "(A;;FA;;;S-1-3-4)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := KeyAccess(test.location, test.readers); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestAtLeastAsWide(t *testing.T) {
	narrow, wide := KeyAccess(LocalMachine, nil), KeyAccess(LocalMachine, []string{"S-1-5-20"})
	other := KeyAccess(LocalMachine, []string{"S-1-5-19"})
	tests := []struct {
		name string
		a, b string
		want bool
	}{
		{"the same", wide, wide, true},
		{"one reader more", wide, narrow, true},
		{"one reader less", narrow, wide, false},
		{"another reader", other, wide, false},
		{"full covers reading", "D:P(A;;FA;;;S-1-5-18)(A;;FA;;;S-1-5-20)", "D:P(A;;FR;;;S-1-5-20)", true},
		{"reading does not cover full", "D:P(A;;FR;;;S-1-5-20)", "D:P(A;;FA;;;S-1-5-20)", false},
		{"rights that are not known are as wide as each other", "", "", true},
		{"and cannot be compared with others", wide, "", false},
		{"in neither direction", "", wide, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := AtLeastAsWide(test.a, test.b); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

"""Where key-encryption keys live: one module a place, all behind `base.Provider`."""

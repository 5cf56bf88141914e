# SPDX-License-Identifier: GPL-2.0-only
# Completions for bash, zsh and fish, from the table that each tool parses its options by.

.PHONY: completions
COMPLETIONS := $(BUILD)/completions
COMPLETION_SRC := completions/generate $(wildcard completions/common.*)
bashcompletiondir ?= $(datadir)/bash-completion/completions
zshcompletiondir ?= $(datadir)/zsh/site-functions
fishcompletiondir ?= $(datadir)/fish/vendor_completions.d

all: completions
completions: $(COMPLETIONS)/made

.SECONDEXPANSION:
$(COMPLETIONS)/made: $(COMPLETION_SRC) $$(TOOLS)
	@rm -rf $(@D)
	@mkdir -p $(@D)/bash $(@D)/zsh $(@D)/fish
	@set -e; for tool in $(TOOLS); do name=$${tool##*/}; \
		"$$tool" --print-options >$(@D)/$$name.options; \
		make() { completions/generate -v dir=completions/ -v shell=$$1 -v tool=$$name \
			$(@D)/$$name.options; }; \
		make bash >$(@D)/bash/$$name; make zsh >$(@D)/zsh/_$$name; \
		make fish >$(@D)/fish/$$name.fish; done
	@touch $@

install:: completions
	$(INSTALL) -d $(DESTDIR)$(bashcompletiondir) $(DESTDIR)$(zshcompletiondir) \
		$(DESTDIR)$(fishcompletiondir)
	$(INSTALL) -m 644 $(COMPLETIONS)/bash/* $(DESTDIR)$(bashcompletiondir)
	$(INSTALL) -m 644 $(COMPLETIONS)/zsh/* $(DESTDIR)$(zshcompletiondir)
	$(INSTALL) -m 644 $(COMPLETIONS)/fish/* $(DESTDIR)$(fishcompletiondir)

uninstall::
	rm -f $(patsubst %,$(DESTDIR)$(bashcompletiondir)/%,$(notdir $(TOOLS)))
	rm -f $(patsubst %,$(DESTDIR)$(zshcompletiondir)/_%,$(notdir $(TOOLS)))
	rm -f $(patsubst %,$(DESTDIR)$(fishcompletiondir)/%.fish,$(notdir $(TOOLS)))

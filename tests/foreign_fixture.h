/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What others package, made of a title of title_fixture.h: its pictures as HEVC, its sound as that
 * of another codec, its tracks encrypted. Nothing is decoded, so that of coded bytes only the heads
 * are there.
 */
#ifndef TESTS_FOREIGN_FIXTURE_H
#define TESTS_FOREIGN_FIXTURE_H

#include "title_fixture.h"

/* All pictures of the default title become hvc1 of Main at level 2. */
void foreign_pictures(struct title_fixture *title);

/* The sound of the default title becomes that of a row; its name is that of its sample entry. */
void foreign_sound(struct title_fixture *title, const char *entry);

/* Pictures (encv) and sound (enca) become those of a scheme, "cbcs" or "cenc", in init segments and
 * manifests; segments of sound get a senc. */
void foreign_seal(struct title_fixture *title, const char *scheme);

/* Manifests tell the rates that are there, as verify measures them. */
void foreign_retell(struct title_fixture *title);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts that the catalog serves as they are; put into C by the build. Private to catalog/. */
#ifndef CATALOG_DOCUMENTS_H
#define CATALOG_DOCUMENTS_H

extern const char catalog_openapi_document[]; /* openapi.json */
extern const char title_schema_document[];    /* packager/title.schema.json */

#endif

# SPDX-License-Identifier: GPL-2.0-or-later
# api/openapi.json -> a C file with it as a text.
function(scheduler_embed_document out)
    reelfarm_literal(text ${CMAKE_CURRENT_SOURCE_DIR}/api/openapi.json)
    file(CONFIGURE OUTPUT ${out} @ONLY CONTENT
"/* Made by embed.cmake from api/openapi.json. */
#include \"scheduler/api/call.h\"

const char openapi_document[] =
    @text@;
")
endfunction()

# schema/NNNN_name.sql -> a C file with store_migration(number): the text of each,
# a line a literal. The numbers must run from 1 without a gap.
function(scheduler_embed_schema out)
    file(GLOB steps CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/schema/[0-9][0-9][0-9][0-9]_*.sql)
    list(SORT steps)
    set(number 0)
    set(texts "")
    foreach(step ${steps})
        math(EXPR number "${number} + 1")
        get_filename_component(name ${step} NAME)
        string(REGEX REPLACE "^0*([1-9][0-9]*)_.*" "\\1" named ${name})
        if(NOT named EQUAL number)
            message(FATAL_ERROR "schema/${name} should be number ${number}")
        endif()
        reelfarm_literal(text ${step})
        string(APPEND texts "    /* ${name} */\n    ${text},\n")
    endforeach()
    file(CONFIGURE OUTPUT ${out} @ONLY CONTENT
"/* Made by embed.cmake from schema/. */
#include \"scheduler/store_sql.h\"

#include <stddef.h>

static const char *const migrations[] = {
@texts@};

const char *store_migration(int number) {
    return number >= 1 && number <= @number@ ? migrations[number - 1] : NULL;
}
")
endfunction()

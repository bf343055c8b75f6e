# SPDX-License-Identifier: GPL-2.0-or-later
# Writes OUT: the player's files as C. hls.js comes from npm into a folder beside OUT
# where NPM names it; a machine without npm, or npm without a network, gets a program
# without it, and OUT.without_hls_js, for which the next configuration tries again.
#   cmake -DOUT=FILE [-DNPM=COMMAND] -P embed.cmake
set(player ${CMAKE_CURRENT_LIST_DIR})
set(rows "")
set(texts "")

# add(PATH TYPE TEXT)
function(add path type text)
    string(MAKE_C_IDENTIFIER file${path} name)
    string(HEX "${text}" hex)
    string(LENGTH "${hex}" digits)
    math(EXPR size "${digits} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${hex}")
    set(rows "${rows}    {\"${path}\", \"${type}\", ${name}, ${size}},\n" PARENT_SCOPE)
    set(texts "${texts}static const char ${name}[] = \"${bytes}\";\n" PARENT_SCOPE)
endfunction()

# Sets `out` to hls.js's text, empty where it cannot be had.
function(fetch_hls_js out)
    set(${out} "" PARENT_SCOPE)
    file(REMOVE ${OUT}.without_hls_js)
    if(NOT NPM)
        return()
    endif()
    get_filename_component(folder ${OUT} DIRECTORY)
    file(COPY ${player}/package.json ${player}/package-lock.json DESTINATION ${folder})
    execute_process(
        COMMAND ${NPM} ci --ignore-scripts --prefer-offline --no-audit --no-fund --fetch-retries=1
                --fetch-retry-mintimeout=1000 --fetch-timeout=20000
        WORKING_DIRECTORY ${folder}
        OUTPUT_FILE ${OUT}.npm.log ERROR_FILE ${OUT}.npm.log
        RESULT_VARIABLE result TIMEOUT 120)
    set(file ${folder}/node_modules/hls.js/dist/hls.min.mjs)
    if(NOT result EQUAL 0 OR NOT EXISTS ${file})
        message("The player is built without hls.js: npm could not bring it (${OUT}.npm.log)")
        file(TOUCH ${OUT}.without_hls_js)
        return()
    endif()
    file(READ ${file} text)
    # The map is not served: browsers' tools would ask for it in vain.
    string(REGEX REPLACE "\n//# sourceMappingURL=[^\n]*" "" text "${text}")
    set(${out} "${text}" PARENT_SCOPE)
endfunction()

foreach(row "/|text/html|index.html" "/player.css|text/css|player.css"
            "/player.js|text/javascript|player.js")
    string(REPLACE "|" ";" row ${row})
    list(GET row 0 path)
    list(GET row 1 type)
    list(GET row 2 name)
    file(READ ${player}/${name} text)
    add(${path} "${type}; charset=utf-8" "${text}")
endforeach()
fetch_hls_js(hls_js)
if(hls_js)
    add(/hls.min.mjs "text/javascript; charset=utf-8" "${hls_js}")
endif()
file(WRITE ${OUT} "/* Made by embed.cmake from the files beside it. */
#include \"cli/player_files.h\"

${texts}
const struct player_file player_files[] = {
${rows}    {0},
};
")

/*
 * Stands in for vmsif.dll where there is no vmswitch. A NIC is the client's end of a named pipe of messages: a write is one frame, a read ends with a
 * chain of frames. A thread for each NIC passes its frames on to all others in the same switch. Whatever vmswitch would refuse is refused.
 */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define EXPORT __declspec(dllexport)
#define MAX_NICS 16
#define MAX_CHAIN 32765
#define MAX_FRAMES 20
#define ID_CHARS 40

struct nic {
    HANDLE client, server, thread;
    wchar_t name[128];
    wchar_t in_switch[ID_CHARS], port[ID_CHARS];
    int is_described, is_connected;
};

static CRITICAL_SECTION gate;
static struct nic *nics[MAX_NICS];
static volatile LONG pipes, bad_frames, longest_chain;
static int switch_is_there = 1;

BOOL WINAPI DllMain(HINSTANCE self, DWORD why, LPVOID reserved)
{
    (void)self;
    (void)reserved;
    if (why == DLL_PROCESS_ATTACH)
        InitializeCriticalSection(&gate);
    return TRUE;
}

static int is_known_switch(const wchar_t *id)
{
    return switch_is_there && (!wcscmp(id, L"c08cb7b8-9b3c-408e-8e30-5e16a3aeb444") || !wcscmp(id, L"11111111-2222-3333-4444-555555555555"));
}

/* With the gate held. A NIC whose client's end was closed is none any more. */
static void sweep(void)
{
    for (int i = 0; i < MAX_NICS; i++) {
        struct nic *nic = nics[i];
        if (!nic || PeekNamedPipe(nic->server, NULL, 0, NULL, NULL, NULL) || GetLastError() != ERROR_BROKEN_PIPE)
            continue;
        nics[i] = NULL;
        if (nic->thread) {
            /* It sees the same, and frees the NIC. */
            CloseHandle(nic->thread);
            nic->thread = NULL;
        } else {
            CloseHandle(nic->server);
            free(nic);
        }
    }
}

static struct nic *find(HANDLE client)
{
    for (int i = 0; i < MAX_NICS; i++)
        if (nics[i] && nics[i]->client == client)
            return nics[i];
    return NULL;
}

EXPORT DWORD WINAPI VmsIfNicCreateEmulated(HANDLE *out, const wchar_t *path)
{
    static const wchar_t prefix[] = L"\\\\.\\VmSwitch\\";
    wchar_t pipe[80];
    DWORD mode = PIPE_READMODE_MESSAGE, error = 0;
    int at = -1;

    *out = INVALID_HANDLE_VALUE;
    if (wcsncmp(path, prefix, wcslen(prefix)) || wcslen(path) - wcslen(prefix) > 127 || !wcsstr(path, L"--"))
        return ERROR_PATH_NOT_FOUND;
    path += wcslen(prefix);
    struct nic *nic = calloc(1, sizeof *nic);
    if (!nic)
        return ERROR_NOT_ENOUGH_MEMORY;
    wcscpy(nic->name, path);
    swprintf(pipe, 80, L"\\\\.\\pipe\\vmswitch-%lu-%ld", GetCurrentProcessId(), InterlockedIncrement(&pipes));
    nic->server = CreateNamedPipeW(pipe, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, 1, 64 * 1024, 64 * 1024, 0, NULL);
    nic->client = CreateFileW(pipe, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    if (nic->server == INVALID_HANDLE_VALUE || nic->client == INVALID_HANDLE_VALUE || !SetNamedPipeHandleState(nic->client, &mode, NULL, NULL))
        error = GetLastError();

    EnterCriticalSection(&gate);
    sweep();
    for (int i = 0; i < MAX_NICS; i++) {
        if (!nics[i])
            at = i;
        else if (!wcscmp(nics[i]->name, path))
            error = ERROR_ALREADY_EXISTS;
    }
    if (!error && at < 0)
        error = ERROR_NO_SYSTEM_RESOURCES;
    if (!error)
        nics[at] = nic;
    LeaveCriticalSection(&gate);
    if (!error) {
        *out = nic->client;
        return 0;
    }
    CloseHandle(nic->client);
    CloseHandle(nic->server);
    free(nic);
    return error;
}

EXPORT DWORD WINAPI VmsIfNicMorphToEmulatedNic(HANDLE client, const wchar_t *name, const wchar_t *friendly_name, const wchar_t *device_id, const wchar_t *vm_name,
                                               const wchar_t *vm_id, const BYTE *mac, BYTE is_static, ULONGLONG partition, DWORD version)
{
    DWORD error = 0;
    EnterCriticalSection(&gate);
    struct nic *nic = find(client);
    if (!nic)
        error = ERROR_INVALID_HANDLE;
    else if (wcscmp(name, nic->name) || !friendly_name[0] || wcslen(device_id) != 36 || wcslen(vm_id) != 36 || wcscmp(vm_name, vm_id) ||
             wcsncmp(name, vm_id, 36) || (mac[0] & 1) || is_static != 1 || partition || version != 0x100)
        error = ERROR_INVALID_PARAMETER;
    else
        nic->is_described = 1;
    LeaveCriticalSection(&gate);
    return error;
}

/* A port is a named event: it is there while a handle of it is. */
static void name_port(wchar_t *name, const wchar_t *switch_id, const wchar_t *port_id)
{
    swprintf(name, 128, L"Local\\port-%ls-%ls", switch_id, port_id);
}

EXPORT DWORD WINAPI VmsIfPortCreateWithHandle(HANDLE *out, const wchar_t *switch_id, const wchar_t *port_id, const wchar_t *friendly_name,
                                              DWORD type, DWORD has_saved_state, DWORD is_persistent, DWORD owner)
{
    wchar_t name[128];
    (void)friendly_name;
    *out = NULL;
    if (!is_known_switch(switch_id))
        return ERROR_NOT_FOUND;
    if (wcslen(port_id) != 36 || type != 4 || has_saved_state || is_persistent || owner != 0x1173)
        return ERROR_INVALID_PARAMETER;
    name_port(name, switch_id, port_id);
    *out = CreateEventW(NULL, TRUE, FALSE, name);
    if (*out && GetLastError() != ERROR_ALREADY_EXISTS)
        return 0;
    CloseHandle(*out);
    *out = NULL;
    return ERROR_ALREADY_EXISTS;
}

/* One read or write of a whole message, waited for. */
static DWORD transfer(HANDLE pipe, int is_write, void *bytes, DWORD length, DWORD *done)
{
    OVERLAPPED operation = {0};
    DWORD error = 0;
    operation.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!(is_write ? WriteFile(pipe, bytes, length, NULL, &operation) : ReadFile(pipe, bytes, length, NULL, &operation)))
        error = GetLastError();
    if (!error || error == ERROR_IO_PENDING)
        error = GetOverlappedResult(pipe, &operation, done, TRUE) ? 0 : GetLastError();
    CloseHandle(operation.hEvent);
    return error;
}

static void pass_on(struct nic *from, BYTE *chain, DWORD length)
{
    HANDLE to[MAX_NICS];
    int count = 0;
    DWORD done;

    EnterCriticalSection(&gate);
    for (int i = 0; i < MAX_NICS; i++) {
        struct nic *nic = nics[i];
        /* A copy of the handle: the NIC may go meanwhile. */
        if (nic && nic != from && nic->is_connected && !wcscmp(nic->in_switch, from->in_switch) &&
            DuplicateHandle(GetCurrentProcess(), nic->server, GetCurrentProcess(), &to[count], 0, FALSE, DUPLICATE_SAME_ACCESS))
            count++;
    }
    LeaveCriticalSection(&gate);
    for (int i = 0; i < count; i++) {
        transfer(to[i], 1, chain, length, &done);
        CloseHandle(to[i]);
    }
}

static DWORD WINAPI serve(LPVOID arg)
{
    struct nic *nic = arg;
    BYTE *chain = malloc(MAX_CHAIN);
    DWORD error = 0;

    while (!error) {
        DWORD at = 0, last = 0, count = 0, waiting = 0;
        do {
            DWORD length = 0;
            error = transfer(nic->server, 0, chain + at + 8, 2048, &length);
            if (error)
                break;
            if (length < 60 || length > 1518) {
                InterlockedIncrement(&bad_frames);
                continue;
            }
            if (count++)
                *(DWORD *)(chain + last + 4) = at - last;
            *(DWORD *)(chain + at) = length;
            *(DWORD *)(chain + at + 4) = 0;
            last = at;
            at = (at + 8 + length + 7) & ~7u;
        } while (count < MAX_FRAMES && at + 8 + 2048 < MAX_CHAIN && PeekNamedPipe(nic->server, NULL, 0, NULL, NULL, &waiting) && waiting);
        if (count) {
            if ((LONG)count > longest_chain)
                longest_chain = count;
            pass_on(nic, chain, last + 8 + *(DWORD *)(chain + last));
        }
    }
    free(chain);
    EnterCriticalSection(&gate);
    for (int i = 0; i < MAX_NICS; i++)
        if (nics[i] == nic)
            nics[i] = NULL;
    if (nic->thread)
        CloseHandle(nic->thread);
    CloseHandle(nic->server);
    free(nic);
    LeaveCriticalSection(&gate);
    return 0;
}

EXPORT DWORD WINAPI VmsIfNicConnect(HANDLE client, const wchar_t *switch_id, const wchar_t *port_id, const wchar_t *nic_name, DWORD milliseconds)
{
    wchar_t name[128];
    DWORD error = 0;
    HANDLE port;

    if (!milliseconds || !is_known_switch(switch_id))
        return ERROR_NOT_FOUND;
    name_port(name, switch_id, port_id);
    port = OpenEventW(SYNCHRONIZE, FALSE, name);
    if (!port)
        return ERROR_NOT_FOUND;
    CloseHandle(port);

    EnterCriticalSection(&gate);
    sweep();
    struct nic *nic = find(client);
    if (!nic || !nic->is_described)
        error = ERROR_INVALID_HANDLE;
    else if (nic->is_connected || wcscmp(nic_name, nic->name))
        error = ERROR_INVALID_PARAMETER;
    for (int i = 0; i < MAX_NICS; i++)
        if (nics[i] && nics[i]->is_connected && !wcscmp(nics[i]->port, port_id))
            error = ERROR_ALREADY_EXISTS;
    if (!error) {
        wcscpy(nic->in_switch, switch_id);
        wcscpy(nic->port, port_id);
        nic->is_connected = 1;
        nic->thread = CreateThread(NULL, 0, serve, nic, 0, NULL);
    }
    LeaveCriticalSection(&gate);
    return error;
}

EXPORT void WINAPI StandInSetSwitch(BOOL is_there)
{
    EnterCriticalSection(&gate);
    switch_is_there = is_there;
    for (int i = 0; i < MAX_NICS; i++)
        if (!is_there && nics[i])
            DisconnectNamedPipe(nics[i]->server);
    LeaveCriticalSection(&gate);
}

EXPORT void WINAPI StandInInject(const BYTE *bytes, int length)
{
    struct nic nobody = {0};
    wcscpy(nobody.in_switch, L"c08cb7b8-9b3c-408e-8e30-5e16a3aeb444");
    pass_on(&nobody, (BYTE *)bytes, length);
}

EXPORT int WINAPI StandInBadFrames(void)
{
    return bad_frames;
}

EXPORT int WINAPI StandInConnected(void)
{
    int count = 0;
    EnterCriticalSection(&gate);
    sweep();
    for (int i = 0; i < MAX_NICS; i++)
        count += nics[i] && nics[i]->is_connected;
    LeaveCriticalSection(&gate);
    return count;
}

EXPORT int WINAPI StandInLongestChain(void)
{
    return longest_chain;
}

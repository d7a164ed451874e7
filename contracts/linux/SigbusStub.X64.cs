using System.Buffers.Binary;

namespace NicHost.Linux;

/// <content>x64, System V calling convention: rdi = signal, rsi = info, rdx = context; rax, rcx, r8 to r11 are free.</content>
internal static partial class SigbusStub
{
    private const int X64Mmap = 9;
    private const int X64RtSigAction = 13;
    private const int X64GetPid = 39;
    private const int X64GetTid = 186;
    private const int X64TgKill = 234;

    internal static byte[] EmitX64(nint table, nint tableEnd, nint previousSlot, nint defaultAction)
    {
        X64Code c = new();
        c.Add(0xF3, 0x0F, 0x1E, 0xFA);                          // endbr64
        c.Add(0x8B, 0x46, SiCodeAt);                            // mov eax, [rsi+8]
        c.Add(0x83, 0xF8, BusAddressError);                     // cmp eax, 2
        c.Jump([0x0F, 0x84], Label.Search);                     // je search
        c.Add(0x83, 0xF8, BusMemoryErrorActionRequired);        // cmp eax, 4
        c.Jump([0x0F, 0x85], Label.Chain);                      // jne chain

        c.Mark(Label.Search);
        c.Add(0x4C, 0x8B, 0x46, SiAddrAt);                      // mov r8, [rsi+16]
        c.Add(0x49, 0xB9).Imm64(table);                         // mov r9, table
        c.Add(0x49, 0xBA).Imm64(tableEnd);                      // mov r10, tableEnd

        c.Mark(Label.Loop);
        c.Add(0x4D, 0x39, 0xD1);                                // cmp r9, r10
        c.Jump([0x0F, 0x83], Label.Chain);                      // jae chain
        c.Add(0x41, 0x8B, 0x01);                                // mov eax, [r9]            version; x64 keeps loads in order
        c.Add(0xA8, 0x01);                                      // test al, 1
        c.Jump([0x0F, 0x85], Label.Next);                       // jne next
        c.Add(0x4D, 0x3B, 0x41, GuardEntry.StartAt);            // cmp r8, [r9+start]
        c.Jump([0x0F, 0x82], Label.Next);                       // jb next
        c.Add(0x4D, 0x3B, 0x41, GuardEntry.EndAt);              // cmp r8, [r9+end]
        c.Jump([0x0F, 0x83], Label.Next);                       // jae next
        c.Add(0x4D, 0x8B, 0x59, GuardEntry.PageSizeAt);         // mov r11, [r9+pageSize]
        c.Add(0x41, 0x3B, 0x01);                                // cmp eax, [r9]
        c.Jump([0x0F, 0x84], Label.Found);                      // je found

        c.Mark(Label.Next);
        c.Add(0x49, 0x83, 0xC1, GuardEntry.Size);               // add r9, 40
        c.Jump([0xE9], Label.Loop);                             // jmp loop

        c.Mark(Label.Found);
        c.Add(0x57, 0x56, 0x52, 0x41, 0x51);                    // push rdi, rsi, rdx, r9
        c.Add(0x41, 0xC7, 0x41, GuardEntry.PoisonedAt).Imm32(1); // mov dword [r9+poisoned], 1
        c.Add(0x4C, 0x89, 0xDE);                                // mov rsi, r11
        c.Add(0x4C, 0x89, 0xDF);                                // mov rdi, r11
        c.Add(0x48, 0xF7, 0xDF);                                // neg rdi
        c.Add(0x4C, 0x21, 0xC7);                                // and rdi, r8              the page of si_addr
        c.Add(0xBA).Imm32(ProtReadWrite);                       // mov edx, 3
        c.Add(0x41, 0xBA).Imm32(MapPrivateAnonymousFixedNoReserve); // mov r10d, flags
        c.Add(0x49, 0xC7, 0xC0).Imm32(-1);                      // mov r8, -1               no file
        c.Add(0x45, 0x31, 0xC9);                                // xor r9d, r9d             offset 0
        c.Add(0xB8).Imm32(X64Mmap);                             // mov eax, mmap
        c.Add(0x0F, 0x05);                                      // syscall                  changes rax, rcx, r11 only
        c.Add(0x48, 0x39, 0xF8);                                // cmp rax, rdi
        c.Jump([0x0F, 0x84], Label.Done);                       // je done
        c.Add(0x48, 0x8B, 0x04, 0x24);                          // mov rax, [rsp]           the row
        c.Add(0x48, 0x8B, 0x78, GuardEntry.StartAt);            // mov rdi, [rax+start]
        c.Add(0x48, 0x8B, 0x70, GuardEntry.EndAt);              // mov rsi, [rax+end]
        c.Add(0x48, 0x29, 0xFE);                                // sub rsi, rdi
        c.Add(0xB8).Imm32(X64Mmap);                             // mov eax, mmap
        c.Add(0x0F, 0x05);                                      // syscall
        c.Add(0x48, 0x39, 0xF8);                                // cmp rax, rdi

        c.Mark(Label.Done);
        c.Add(0x41, 0x59, 0x5A, 0x5E, 0x5F);                    // pop r9, rdx, rsi, rdi    flags stay
        c.Jump([0x0F, 0x85], Label.Chain);                      // jne chain
        c.Add(0xC3);                                            // ret

        c.Mark(Label.Chain);
        c.Add(0x48, 0xB8).Imm64(previousSlot);                  // mov rax, previousSlot
        c.Add(0x48, 0x8B, 0x00);                                // mov rax, [rax]
        c.Add(0x48, 0x85, 0xC0);                                // test rax, rax
        c.Jump([0x0F, 0x84], Label.Default);                    // je default
        c.Add(0xFF, 0xE0);                                      // jmp rax

        c.Mark(Label.Default);
        c.Add(0x44, 0x8B, 0x46, SiCodeAt);                      // mov r8d, [rsi+8]
        c.Add(0xBF).Imm32(SigBus);                              // mov edi, SIGBUS
        c.Add(0x48, 0xBE).Imm64(defaultAction);                 // mov rsi, defaultAction
        c.Add(0x31, 0xD2);                                      // xor edx, edx
        c.Add(0x41, 0xBA).Imm32(8);                             // mov r10d, 8              bytes of the kernel's mask
        c.Add(0xB8).Imm32(X64RtSigAction);                      // mov eax, rt_sigaction
        c.Add(0x0F, 0x05);                                      // syscall
        c.Add(0x45, 0x85, 0xC0);                                // test r8d, r8d
        c.Jump([0x0F, 0x8F], Label.Out);                        // jg out                   the access runs again and ends us
        c.Add(0xB8).Imm32(X64GetPid);                           // mov eax, getpid
        c.Add(0x0F, 0x05);                                      // syscall
        c.Add(0x89, 0xC7);                                      // mov edi, eax
        c.Add(0xB8).Imm32(X64GetTid);                           // mov eax, gettid
        c.Add(0x0F, 0x05);                                      // syscall
        c.Add(0x89, 0xC6);                                      // mov esi, eax
        c.Add(0xBA).Imm32(SigBus);                              // mov edx, SIGBUS
        c.Add(0xB8).Imm32(X64TgKill);                           // mov eax, tgkill
        c.Add(0x0F, 0x05);                                      // syscall

        c.Mark(Label.Out);
        c.Add(0xC3);                                            // ret
        return c.Finish();
    }

    /// <summary>Bytes with jumps whose 32-bit distances are filled in at the end.</summary>
    private sealed class X64Code
    {
        private readonly List<byte> _bytes = [];
        private readonly Dictionary<Label, int> _marks = [];
        private readonly List<(int At, Label To)> _jumps = [];

        internal X64Code Add(params ReadOnlySpan<byte> bytes)
        {
            _bytes.AddRange(bytes);
            return this;
        }

        internal void Imm32(int value)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
            _bytes.AddRange(bytes);
        }

        internal void Imm64(nint value)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            _bytes.AddRange(bytes);
        }

        internal void Mark(Label label) => _marks.Add(label, _bytes.Count);

        internal void Jump(ReadOnlySpan<byte> operation, Label to)
        {
            _bytes.AddRange(operation);
            _jumps.Add((_bytes.Count, to));
            Imm32(0);
        }

        internal byte[] Finish()
        {
            byte[] code = [.. _bytes];
            foreach ((int at, Label to) in _jumps) BinaryPrimitives.WriteInt32LittleEndian(code.AsSpan(at), _marks[to] - (at + 4));
            return code;
        }
    }
}

using System.Buffers.Binary;

namespace NicHost.Linux;

/// <content>
/// arm64, AAPCS64: x0 = signal, x1 = info, x2 = context; x3 to x17 are free. A system call changes x0 only.
/// Encodings: Arm Architecture Reference Manual, C6.2.
/// </content>
internal static partial class SigbusStub
{
    private const int Arm64RtSigAction = 134;
    private const int Arm64TgKill = 131;
    private const int Arm64GetPid = 172;
    private const int Arm64GetTid = 178;
    private const int Arm64Mmap = 222;

    internal static byte[] EmitArm64(nint table, nint tableEnd, nint previousSlot, nint defaultAction)
    {
        Arm64Code c = new();
        c.Load32(9, 1, SiCodeAt);
        c.CompareImmediate32(9, BusAddressError);
        c.Branch(Condition.Equal, Label.Search);
        c.CompareImmediate32(9, BusMemoryErrorActionRequired);
        c.Branch(Condition.NotEqual, Label.Chain);

        c.Mark(Label.Search);
        c.Load64(10, 1, SiAddrAt);
        c.Move64(11, table);
        c.Move64(12, tableEnd);

        c.Mark(Label.Loop);
        c.Compare(11, 12);
        c.Branch(Condition.HigherOrSame, Label.Chain);
        c.LoadAcquire32(13, 11);
        c.BranchIfBit0(13, Label.Next);
        c.Load64(14, 11, GuardEntry.StartAt);
        c.Compare(10, 14);
        c.Branch(Condition.Lower, Label.Next);
        c.Load64(14, 11, GuardEntry.EndAt);
        c.Compare(10, 14);
        c.Branch(Condition.HigherOrSame, Label.Next);
        c.Load64(15, 11, GuardEntry.PageSizeAt);
        c.BarrierLoads();
        c.Load32(14, 11, GuardEntry.VersionAt);
        c.Compare(14, 13);
        c.Branch(Condition.Equal, Label.Found);

        c.Mark(Label.Next);
        c.AddImmediate(11, 11, GuardEntry.Size);
        c.Branch(Condition.Always, Label.Loop);

        c.Mark(Label.Found);
        c.Move(6, 0);
        c.Move(7, 1);
        c.Move(16, 2);
        c.Move64(14, 1);
        c.AddImmediate(9, 11, GuardEntry.PoisonedAt);
        c.StoreRelease32(14, 9);
        c.BarrierAll();
        c.Negate(14, 15);
        c.And(0, 10, 14);                   // the page of si_addr
        c.Move(1, 15);
        c.Move(17, 0);
        c.Move64(2, ProtReadWrite);
        c.Move64(3, MapPrivateAnonymousFixedNoReserve);
        c.MoveMinusOne(4);                  // no file
        c.Move64(5, 0);
        c.Move64(8, Arm64Mmap);
        c.SystemCall();
        c.Compare(0, 17);
        c.Branch(Condition.Equal, Label.Done);
        c.Load64(0, 11, GuardEntry.StartAt);
        c.Load64(1, 11, GuardEntry.EndAt);
        c.Subtract(1, 1, 0);
        c.Move(17, 0);
        c.SystemCall();
        c.Compare(0, 17);

        c.Mark(Label.Done);
        c.Move(0, 6);
        c.Move(1, 7);
        c.Move(2, 16);
        c.Branch(Condition.NotEqual, Label.Chain);
        c.Return();

        c.Mark(Label.Chain);
        c.Move64(16, previousSlot);
        c.Load64(16, 16, 0);
        c.BranchIfZero(16, Label.Default);
        c.BranchToX16();

        c.Mark(Label.Default);
        c.Load32(13, 1, SiCodeAt);
        c.Move64(0, SigBus);
        c.Move64(1, defaultAction);
        c.Move64(2, 0);
        c.Move64(3, 8);                     // bytes of the kernel's mask
        c.Move64(8, Arm64RtSigAction);
        c.SystemCall();
        c.CompareImmediate32(13, 0);
        c.Branch(Condition.Greater, Label.Out);  // the access runs again and ends us
        c.Move64(8, Arm64GetPid);
        c.SystemCall();
        c.Move(12, 0);
        c.Move64(8, Arm64GetTid);
        c.SystemCall();
        c.Move(1, 0);
        c.Move(0, 12);
        c.Move64(2, SigBus);
        c.Move64(8, Arm64TgKill);
        c.SystemCall();

        c.Mark(Label.Out);
        c.Return();
        return c.Finish();
    }

    private enum Condition : uint
    {
        Equal = 0,
        NotEqual = 1,
        HigherOrSame = 2,
        Lower = 3,
        Greater = 12,
        Always = 14,
    }

    /// <summary>Instruction words with branches whose distances are filled in at the end.</summary>
    private sealed class Arm64Code
    {
        private readonly List<uint> _words = [];
        private readonly Dictionary<Label, int> _marks = [];
        private readonly List<(int At, Label To, int Bits, int Shift)> _branches = [];

        internal void Load32(uint to, uint from, uint offset) => _words.Add(0xB9400000 | (offset / 4) << 10 | from << 5 | to);     // ldr w, [x, #]

        internal void Load64(uint to, uint from, uint offset) => _words.Add(0xF9400000 | (offset / 8) << 10 | from << 5 | to);     // ldr x, [x, #]

        internal void LoadAcquire32(uint to, uint from) => _words.Add(0x88DFFC00 | from << 5 | to);                                // ldar w, [x]

        internal void StoreRelease32(uint value, uint at) => _words.Add(0x889FFC00 | at << 5 | value);                             // stlr w, [x]

        internal void BarrierLoads() => _words.Add(0xD50339BF);                                                                    // dmb ishld

        internal void BarrierAll() => _words.Add(0xD5033BBF);                                                                      // dmb ish

        internal void CompareImmediate32(uint register, uint value) => _words.Add(0x7100001F | value << 10 | register << 5);       // cmp w, #

        internal void Compare(uint left, uint right) => _words.Add(0xEB00001F | right << 16 | left << 5);                          // cmp x, x

        internal void AddImmediate(uint to, uint from, uint value) => _words.Add(0x91000000 | value << 10 | from << 5 | to);       // add x, x, #

        internal void Subtract(uint to, uint left, uint right) => _words.Add(0xCB000000 | right << 16 | left << 5 | to);           // sub x, x, x

        internal void Negate(uint to, uint from) => _words.Add(0xCB0003E0 | from << 16 | to);                                      // neg x, x

        internal void And(uint to, uint left, uint right) => _words.Add(0x8A000000 | right << 16 | left << 5 | to);                // and x, x, x

        internal void Move(uint to, uint from) => _words.Add(0xAA0003E0 | from << 16 | to);                                        // mov x, x

        internal void MoveMinusOne(uint to) => _words.Add(0x92800000 | to);                                                        // movn x, #0

        internal void SystemCall() => _words.Add(0xD4000001);                                                                      // svc #0

        internal void Return() => _words.Add(0xD65F03C0);                                                                          // ret

        internal void BranchToX16() => _words.Add(0xD61F0200);                                                                     // br x16: the register that "bti c" lets in

        internal void Move64(uint to, nint value)
        {
            _words.Add(0xD2800000 | ((uint)value & 0xFFFF) << 5 | to);                                                             // movz x, #
            for (uint part = 1; part < 4; part++)
            {
                uint bits = (uint)((ulong)value >> (int)(part * 16)) & 0xFFFF;
                if (bits != 0) _words.Add(0xF2800000 | part << 21 | bits << 5 | to);                                               // movk x, #, lsl #
            }
        }

        internal void Branch(Condition condition, Label to)
        {
            _branches.Add((_words.Count, to, 19, 5));
            _words.Add(0x54000000 | (uint)condition);                                                                              // b.cond
        }

        internal void BranchIfZero(uint register, Label to)
        {
            _branches.Add((_words.Count, to, 19, 5));
            _words.Add(0xB4000000 | register);                                                                                     // cbz x
        }

        internal void BranchIfBit0(uint register, Label to)
        {
            _branches.Add((_words.Count, to, 14, 5));
            _words.Add(0x37000000 | register);                                                                                     // tbnz w, #0
        }

        internal void Mark(Label label) => _marks.Add(label, _words.Count);

        internal byte[] Finish()
        {
            byte[] code = new byte[_words.Count * 4];
            foreach ((int at, Label to, int bits, int shift) in _branches)
            {
                uint distance = (uint)(_marks[to] - at) & ((1u << bits) - 1);
                _words[at] |= distance << shift;
            }

            for (int i = 0; i < _words.Count; i++) BinaryPrimitives.WriteUInt32LittleEndian(code.AsSpan(i * 4), _words[i]);
            return code;
        }
    }
}

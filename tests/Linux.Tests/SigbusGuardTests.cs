using System.Runtime.CompilerServices;

namespace NicHost.Linux.Tests;

public sealed unsafe class SigbusGuardTests
{
    private const int Pages = 16;

    private static int Page => VirtualMemory.PageSize;

    private static (Fd File, MappedFile Map) MapNew(int pages = Pages)
    {
        Fd file = VirtualMemory.CreateMemoryFile("guard-test", (long)pages * Page);
        MappedFile map = MappedFile.Map(file.Raw, 0, (ulong)(pages * Page));
        new Span<byte>((void*)map.Address, pages * Page).Fill(0x5A);
        return (file, map);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte ReadByte(nint address) => Volatile.Read(ref *(byte*)address);

    [Fact]
    public void Load_from_a_shrunk_file_sees_zeros_and_poisons()
    {
        (Fd file, MappedFile map) = MapNew();
        using (file)
        using (map)
        {
            Assert.True(map.Guarded);
            Assert.False(map.Poisoned);
            Assert.True(VirtualMemory.Resize(file.Raw, 0).Ok);

            Assert.Equal(0, ReadByte(map.Address + (3 * Page) + 7));

            Assert.True(map.Poisoned);
        }
    }

    [Fact]
    public void Store_to_a_shrunk_file_stays_private_and_poisons()
    {
        (Fd file, MappedFile map) = MapNew();
        using (file)
        using (map)
        {
            Assert.True(VirtualMemory.Resize(file.Raw, 0).Ok);

            *(byte*)map.Address = 7;

            Assert.True(map.Poisoned);
            Assert.Equal(7, ReadByte(map.Address));
            Assert.Equal(0, VirtualMemory.FileSize(file.Raw, out _).Value);
        }
    }

    [Fact]
    public void Pages_that_still_exist_keep_their_content()
    {
        (Fd file, MappedFile map) = MapNew();
        using (file)
        using (map)
        {
            Assert.True(VirtualMemory.Resize(file.Raw, 2 * Page).Ok);

            Assert.Equal(0, ReadByte(map.Address + (9 * Page)));
            Assert.Equal(0x5A, ReadByte(map.Address + Page));
            *(byte*)map.Address = 1;
            byte inFile;
            using (MappedFile second = MappedFile.Map(file.Raw, 0, 1)) inFile = ReadByte(second.Address);
            Assert.Equal(1, inFile);
        }
    }

    [Fact]
    public void Only_the_range_that_was_hit_is_poisoned()
    {
        (Fd file, MappedFile map) = MapNew();
        (Fd otherFile, MappedFile other) = MapNew();
        using (file)
        using (map)
        using (otherFile)
        using (other)
        {
            Assert.True(VirtualMemory.Resize(file.Raw, 0).Ok);
            Assert.True(VirtualMemory.Resize(otherFile.Raw, 0).Ok);
            ReadByte(map.Address);
            Assert.True(map.Poisoned);
            Assert.False(other.Poisoned);
        }
    }

    [Fact]
    public void Bulk_copies_over_the_edge_survive()
    {
        (Fd file, MappedFile map) = MapNew();
        using (file)
        using (map)
        {
            Assert.True(VirtualMemory.Resize(file.Raw, Page).Ok);
            byte[] copy = new byte[Pages * Page];
            new ReadOnlySpan<byte>((void*)map.Address, copy.Length).CopyTo(copy);
            Assert.True(map.Poisoned);
            Assert.Equal(0x5A, copy[Page - 1]);
            Assert.Equal(-1, copy.AsSpan(Page).IndexOfAnyExcept((byte)0));
        }
    }

    [Fact]
    public void Poison_is_remembered_after_the_mapping_has_gone()
    {
        (Fd file, MappedFile map) = MapNew();
        using (file)
        {
            Assert.True(VirtualMemory.Resize(file.Raw, 0).Ok);
            ReadByte(map.Address);
            map.Dispose();
            Assert.True(map.Poisoned);
        }
    }

    [Fact]
    public void A_row_of_the_table_starts_clean_when_it_is_used_again()
    {
        for (int i = 0; i < 100; i++)
        {
            (Fd file, MappedFile map) = MapNew(1);
            using (file)
            using (map)
            {
                Assert.False(map.Poisoned);
                Assert.True(VirtualMemory.Resize(file.Raw, 0).Ok);
                ReadByte(map.Address);
                Assert.True(map.Poisoned);
            }
        }
    }

    [Fact]
    public void System_calls_get_EFAULT_instead_of_a_signal()
    {
        (Fd file, MappedFile map) = MapNew();
        using (file)
        using (map)
        {
            (Fd left, Fd right) = UnixSocket.Pair();
            using (left)
            using (right)
            {
                Assert.True(VirtualMemory.Resize(file.Raw, 0).Ok);
                SysResult result = Sockets.SendMsg(left.Raw, [new IoVec((void*)map.Address, 100)]);
                Assert.Equal(Errno.EFAULT, result.Error);
                Assert.False(map.Poisoned);
            }
        }
    }

    [Fact]
    public void Faults_of_many_threads_while_ranges_come_and_go_all_survive()
    {
        const int Rounds = 200;
        using CountdownEvent done = new(3);
        Exception? failure = null;
        for (int t = 0; t < 3; t++)
        {
            Thread thread = new(() =>
            {
                try
                {
                    for (int i = 0; i < Rounds; i++)
                    {
                        (Fd file, MappedFile map) = MapNew(4);
                        using (file)
                        using (map)
                        {
                            VirtualMemory.Resize(file.Raw, Page).OrThrow("shrink");
                            if (ReadByte(map.Address + (2 * Page)) != 0 || !map.Poisoned) throw new InvalidOperationException("not poisoned");
                            if (ReadByte(map.Address) != 0x5A) throw new InvalidOperationException("the first page is lost");
                        }
                    }
                }
                catch (Exception e)
                {
                    failure = e;
                }

                done.Signal();
            });
            thread.Start();
        }

        Assert.True(done.Wait(TimeSpan.FromSeconds(60)));
        Assert.Null(failure);
    }

    [Fact]
    public void Huge_pages_are_replaced_whole_where_the_machine_has_some()
    {
        const int Huge = 2 << 20;
        Fd file;
        try
        {
            file = VirtualMemory.CreateMemoryFile("guard-huge", Huge, hugePages: true);
        }
        catch (LinuxException)
        {
            return; // no hugetlb in this kernel, or another huge page size
        }

        using (file)
        {
            Errno error = MappedFile.TryMap(file.Raw, 4096, 4096, Protection.ReadWrite, out MappedFile? map);
            if (error == Errno.ENOMEM) return; // the pool is empty
            Assert.Equal(Errno.None, error);
            using (map)
            {
                *(byte*)map!.Address = 1;
                Assert.True(VirtualMemory.Resize(file.Raw, 0).Ok);
                Assert.Equal(0, ReadByte(map.Address));
                Assert.True(map.Poisoned);
            }
        }
    }

    [Fact]
    public void Two_copies_of_the_assembly_guard_their_own_ranges()
    {
        // Each plugin has its own copy: its own table, its own handler, one process.
        IsolatedCopy first = new();
        IsolatedCopy second = new();
        Assert.NotSame(first.MapType, second.MapType);
        foreach (IsolatedCopy copy in new[] { first, second, first })
        {
            using Fd file = VirtualMemory.CreateMemoryFile("guard-copy", Page);
            (nint address, Func<bool> poisoned, IDisposable map) = copy.Map(file.Raw, Page);
            using (map)
            {
                Assert.True(VirtualMemory.Resize(file.Raw, 0).Ok);
                Assert.Equal(0, ReadByte(address));
                Assert.True(poisoned());
            }
        }

        Load_from_a_shrunk_file_sees_zeros_and_poisons();
    }

    [RunsInChild]
    internal static int FaultOutsideAllRanges()
    {
        GuardWorks();
        FaultUnguarded();
        Console.WriteLine("still alive");
        return 0;
    }

    [RunsInChild]
    internal static int FaultWithDefaultActionBefore()
    {
        ResetSigbus();
        GuardWorks();
        FaultUnguarded();
        return 0;
    }

    [RunsInChild]
    internal static int SignalWithDefaultActionBefore()
    {
        ResetSigbus();
        GuardWorks();
        kill(Environment.ProcessId, 7);
        Thread.Yield();
        using ManualResetEventSlim never = new();
        never.Wait(TimeSpan.FromSeconds(5));
        return 0;
    }

    [RunsInChild]
    internal static int FaultWithoutMapEntries()
    {
        // vm.max_map_count entries are all there are; one page in the middle of a mapping needs two more, the whole mapping none.
        GuardWorks();
        (Fd file, MappedFile map) = MapNew();
        VirtualMemory.Resize(file.Raw, 0).OrThrow("shrink");
        int limit = int.Parse(File.ReadAllText("/proc/sys/vm/max_map_count"), null);
        if (limit > 1_000_000) return 2;
        nint region = VirtualMemory.MapAnonymousMemory((nuint)limit * (nuint)Page, Protection.None).OrThrow("reserve");
        int pages = 1;
        while (pages < limit && VirtualMemory.Protect(region + ((nint)pages * Page), (nuint)Page, Protection.Read).Ok)
        {
            pages += 2;
        }

        nint middle = map.Address + (5 * Page);
        byte first = ReadByte(middle);
        *(byte*)(map.Address + (9 * Page)) = 9;
        byte second = ReadByte(map.Address + (9 * Page));
        bool poisoned = map.Poisoned;
        VirtualMemory.Unmap(region, (nuint)limit * (nuint)Page);
        Console.WriteLine($"{pages < limit} {first} {second} {poisoned}");
        return 0;
    }

    private static void GuardWorks()
    {
        (Fd file, MappedFile map) = MapNew();
        VirtualMemory.Resize(file.Raw, 0).OrThrow("shrink");
        Console.WriteLine(ReadByte(map.Address) == 0 && map.Poisoned ? "guard works" : "guard fails");
        Console.Out.Flush();
    }

    private static void FaultUnguarded()
    {
        using Fd file = VirtualMemory.CreateMemoryFile("unguarded", Page);
        nint address = VirtualMemory.MapSharedFile(file.Raw, 0, (nuint)Page, Protection.ReadWrite).OrThrow("map");
        VirtualMemory.Resize(file.Raw, 0).OrThrow("shrink");
        ReadByte(address);
    }

    private static void ResetSigbus()
    {
        SigAction zero = default;
        SysResult.From(Libc.sigaction(7, &zero, null)).OrThrow("reset SIGBUS");
    }

    [System.Runtime.InteropServices.DllImport("libc")]
    private static extern int kill(int pid, int signal);
}

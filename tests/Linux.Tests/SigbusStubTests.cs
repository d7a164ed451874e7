namespace NicHost.Linux.Tests;

public sealed class SigbusStubTests
{
    // For the addresses below. These bytes ran as a handler under user-mode emulation of arm64 (a shrunk file, a first mmap that fails,
    // an unregistered range, a raised signal) and were read with objdump.
    private const string Arm64 =
        "290840b93f090071600000543f110071a10600542a0840f90b0080d26b00c0f20c4081d26c00c0f27f010cebc2050054" +
        "6dfddf888d0100376e0540f95f010eeb230100546e0940f95f010eebc20000546f0d40f9bf3903d56e0140b9df010deb" +
        "600000546ba100910efeff54e60300aae70301aaf00302aa2e0080d2691100912efd9f88bf3b03d5ee030fcb40010e8a" +
        "e1030faaf10300aa620080d2430688d204008092050080d2c81b80d2010000d41f0011ebe0000054600540f9610940f9" +
        "210000cbf10300aa010000d41f0011ebe00306aae10307aae20310aa41000054c0035fd6100090d27000c0f2100240f9" +
        "500000b400021fd62d0840b9e00080d2010092d26100c0f2020080d2030180d2c81080d2010000d4bf0100716c010054" +
        "881580d2010000d4ec0300aa481680d2010000d4e10300aae0030caae20080d2681080d2010000d4c0035fd6";

    [Fact]
    public void Arm64_code_is_the_one_that_was_tried()
    {
        byte[] code = SigbusStub.EmitArm64(unchecked((nint)0x3_0000_0000), unchecked((nint)0x3_0000_0A00), unchecked((nint)0x3_0000_8000), unchecked((nint)0x3_0000_9000));
        Assert.Equal(Arm64, Convert.ToHexStringLower(code));
    }

    [Fact]
    public void Code_fits_its_page_wherever_the_table_is()
    {
        nint far = unchecked((nint)0x7FFF_FFFF_FFFF_FFF8);
        Assert.True(SigbusStub.EmitX64(far, far, far, far).Length < 1024);
        Assert.True(SigbusStub.EmitArm64(far, far, far, far).Length < 1024);
    }
}
